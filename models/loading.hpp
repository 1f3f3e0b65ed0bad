#pragma once

#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/cuda/batch_runner.hpp"
#include "models/device.hpp"
#include "models/networks/hash_fill.hpp"
#include "models/networks/weight_loading.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::models {

/// Shared by everything that loads a network for the pipeline.

/// Fills the synthetic networks.
inline constexpr uint64_t synthetic_seed = 20250926;

/// The JSON file at `models_dir/path`.
/// @throws musetalk::error `models_missing` with the source, `models_invalid`.
json_value read_config(const std::filesystem::path& models_dir, const std::string& path,
                       const std::string& source);

/// A weight file that was found.
struct opened_weights {
  checkpoint file;
  std::string id; ///< Path below `models_dir` and size, for reports.
};

/// Opens the first of the paths that is there.
/// @throws musetalk::error `models_missing` that names the first and its source, `models_invalid`.
opened_weights open_weights(const std::filesystem::path& models_dir,
                            const std::vector<std::string>& paths, const std::string& source);

/// Fills a network that has no files, and places it.
void make_synthetic(torch::nn::Module& network, const placement& where, double gain);

/// Begins a report and, at the end, the time that loading took.
class load_timer {
public:
  /// @returns What is known of the device and the network.
  device_report finish(const opened_device& device, uint64_t parameters,
                       std::string weights_id) const;

private:
  double start_ms_ = now_ms();
  static double now_ms();
};

/// A report with what changes: the device's memory and what the runner has prepared.
device_report completed(device_report report, const opened_device& device,
                        const batch_runner& runner);

/// Copies borrowed 8-bit pictures of one size into a batch `[n, height, width, 3]` on the device.
/// @throws musetalk::error `internal` when one has another size.
at::Tensor to_batch(const std::vector<std::span<const uint8_t>>& pictures, int64_t height,
                    int64_t width, const placement& where);

} // namespace musetalk::models
