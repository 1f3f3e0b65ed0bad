#include "models/loading.hpp"

#include "errors/error.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

namespace musetalk::models {

namespace fs = std::filesystem;

namespace {

constexpr uintmax_t max_config_bytes = 1 << 20;

} // namespace

json_value read_config(const fs::path& models_dir, const std::string& path,
                       const std::string& source) {
  auto file = models_dir / path;
  auto failure = std::error_code{};
  auto size = fs::file_size(file, failure);
  auto in = std::ifstream{file, std::ios::binary};
  if (failure || !in)
    throw error{errc::models_missing, path + " is missing. Get it from " + source + ".",
                file.string()};
  if (size > max_config_bytes)
    throw error{errc::models_invalid, path + " has " + std::to_string(size) + " bytes (limit " +
                                          std::to_string(max_config_bytes) + ")"};
  try {
    return json_value::parse(std::string{std::istreambuf_iterator<char>{in}, {}});
  } catch (const error& e) {
    throw error{e.code(), path + ": " + e.detail(), file.string()};
  }
}

opened_weights open_weights(const fs::path& models_dir, const std::vector<std::string>& paths,
                            const std::string& source) {
  for (const auto& path : paths) {
    auto failure = std::error_code{};
    if (!fs::exists(models_dir / path, failure))
      continue;
    auto file = checkpoint::open(models_dir / path);
    auto id = path + ":" + std::to_string(file.file_bytes());
    return {std::move(file), std::move(id)};
  }
  throw error{errc::models_missing, paths.front() + " is missing. Get it from " + source + ".",
              models_dir.string()};
}

void make_synthetic(torch::nn::Module& network, const placement& where, double gain) {
  hash_fill(network, synthetic_seed, gain);
  place(network, where);
}

double load_timer::now_ms() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

device_report load_timer::finish(const opened_device& device, uint64_t parameters,
                                 std::string weights_id) const {
  // Weights are still being converted on a GPU.
  if (device.gpu)
    device.gpu->drain();
  auto report = device_report{};
  report.device = device.where.device.str();
  report.device_name = device.name;
  report.dtype = device.dtype;
  report.threads = at::get_num_threads();
  report.synthetic = weights_id == "synthetic";
  report.weights_id = std::move(weights_id);
  report.parameters = parameters;
  report.load_ms = now_ms() - start_ms_;
  report.note = device.note;
  return report;
}

device_report completed(device_report report, const opened_device& device,
                        const batch_runner& runner) {
  if (device.gpu)
    on_device(device, [&] {
      auto memory = device.gpu->memory();
      report.memory_total_bytes = memory.total;
      report.memory_used_bytes = memory.used;
    });
  report.graph_batches = runner.graph_batches();
  auto note = runner.note();
  if (!note.empty())
    report.note += (report.note.empty() ? "" : "; ") + note;
  return report;
}

at::Tensor to_batch(const std::vector<std::span<const uint8_t>>& pictures, int64_t height,
                    int64_t width, const placement& where) {
  auto bytes = static_cast<size_t>(height * width * 3);
  auto batch = at::empty({static_cast<int64_t>(pictures.size()), height, width, 3}, at::kByte);
  auto* to = batch.mutable_data_ptr<uint8_t>();
  for (const auto& picture : pictures) {
    if (picture.size() != bytes)
      throw error{errc::internal, "a picture has " + std::to_string(picture.size()) +
                                      " bytes instead of " + std::to_string(bytes)};
    std::memcpy(to, picture.data(), bytes);
    to += bytes;
  }
  return batch.to(where.device);
}

} // namespace musetalk::models
