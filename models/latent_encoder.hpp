#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// Side of the square face crop in pixels.
inline constexpr int face_side = 256;

/// Bytes of one face crop: 256 x 256, BGR.
inline constexpr size_t face_bytes = size_t{3} * face_side * face_side;

/// Values of one latent: `[1, 8, 32, 32]`.
inline constexpr size_t latent_values = 8 * 32 * 32;

/// Shape of one latent as consumers read it.
inline constexpr int64_t latent_shape[] = {1, 8, 32, 32};

/// A borrowed face crop: `[256, 256, 3]`, BGR, row-major, no padding. The caller keeps the pixels
/// alive for the call that takes it.
struct bgr_crop {
  std::span<const uint8_t> pixels; ///< Exactly `face_bytes`.
};

/// What the avatar stores for one frame: `[1, 8, 32, 32]` fp16, row-major. Channels 0..3 are the
/// latent of the crop whose lower half was blacked out, 4..7 that of the crop as it is.
struct latent {
  std::vector<uint16_t> half_bits; ///< `latent_values` values, IEEE binary16.
};

/// Number format of a network's arithmetic.
enum class precision : uint8_t {
  automatic, ///< The fastest that keeps parity: fp16 on a GPU; on a CPU fp32, but for faces fp32 or
             ///< bf16 by measuring at load.
  float32,
  bfloat16,
  float16, ///< GPU only.
};

/// `fp32`, `bf16`, ...
std::string_view to_string(precision x) noexcept;

/// How networks are loaded. The same for every network.
struct load_options {
  std::filesystem::path models_dir; ///< `MUSETALK_BASE/models`; unused when `synthetic`.
  bool synthetic = false;           ///< Small seeded random networks instead of files.
  std::string device = "auto";      ///< `auto`, `cpu` or `cuda:<n>`.
  int threads = 0;                  ///< CPU threads of one execution; 0 leaves LibTorch's choice.
  precision dtype = precision::automatic;
};

/// What was loaded, for the log, `/health` and the manifest.
struct device_report {
  std::string device;      ///< `cpu` or `cuda:<n>`.
  std::string device_name; ///< As the driver calls it; empty on a CPU.
  precision dtype = precision::float32;
  int threads = 0;         ///< CPU threads of one execution.
  bool synthetic = false;  ///< Random weights: results mean nothing.
  std::string weights_id;  ///< `synthetic`, or the path below `models_dir` with its size in bytes.
  uint64_t parameters = 0; ///< Values of the network.
  double load_ms = 0;      ///< Time to read, check and place the weights.
  uint64_t memory_total_bytes = 0;   ///< Of the card, when asked; 0 on a CPU.
  uint64_t memory_used_bytes = 0;    ///< Of the card by whomever, when asked; 0 on a CPU.
  std::vector<size_t> graph_batches; ///< Batches with a CUDA graph of their own, after `warm_up`.
  std::string note; ///< For the log: why `auto` took the CPU, what decided the number
                    ///< format, why a batch has no graph. Or empty.
};

/// The image half of the avatar: crops in, latents out. Owns its weights. Not thread-safe: one
/// caller at a time.
class latent_encoder {
public:
  virtual ~latent_encoder() = default;

  /// Encodes each crop twice, with the lower half blacked out and as it is, in one batch.
  /// Deterministic: the mean of the posterior is taken where MuseTalk draws a sample.
  /// @param crops As many as the caller wants in one execution; memory grows with them (about 60 MB
  /// each on a CPU).
  /// @returns One latent per crop, in order.
  /// @throws musetalk::error `internal` when a crop has another size, `device_out_of_memory` when
  /// the batch does
  ///         not fit (smaller ones may; the encoder stays usable), `device_lost` when the device
  ///         will not work again in this process, `device_failed` otherwise.
  /// Source: MuseTalk `VAE.get_latents_for_unet` (musetalk/models/vae.py).
  virtual std::vector<latent> encode(std::span<const bgr_crop> crops) = 0;

  /// Makes ready for executions of up to `max_batch` crops. On a GPU: one CUDA graph for each batch
  /// of 1, 2, 4, 8, 16, and the memory for them, in seconds; batches between are padded. On a CPU:
  /// one execution, so that the first job is not slower than the rest. Not required, but without it
  /// the first execution on a GPU pays for it.
  /// @returns Crops that one execution takes at most: on a GPU what fitted its memory, never more
  /// than 16; on a CPU `max_batch`. `encode` takes more than that and cuts them itself.
  /// @throws musetalk::error `device_out_of_memory` when not even one crop fits, `device_failed`,
  /// `device_lost`.
  virtual size_t warm_up(size_t max_batch) = 0;

  /// Begins an execution and returns; on a GPU it runs while the caller prepares the next. What
  /// `encode` does is `submit` and `collect` of each part in turn. Two can be under way, so that
  /// the device finds work when it has finished: submit the next before collecting the first.
  /// @param crops 1 to as many as `warm_up` answered; copied before this returns.
  /// @throws musetalk::error `internal` when two are under way or there are too many crops; else as
  /// `encode`.
  virtual void submit(std::span<const bgr_crop> crops) = 0;

  /// Waits for the oldest execution under way.
  /// @returns Its latents, in order. @throws musetalk::error `internal` when there is none; else as
  /// `encode`; the execution is gone then.
  virtual std::vector<latent> collect() = 0;

  /// What was loaded and where it runs; the memory as it is now.
  virtual device_report report() const = 0;
};

/// Loads the VAE from `models_dir/sd-vae` (or makes a synthetic one).
/// @throws musetalk::error `models_missing` when files are absent, `models_invalid` when they do
/// not fit the
///         network (the detail lists what is missing, unexpected or mis-shaped), `device_failed`
///         when a wanted device cannot be had.
std::unique_ptr<latent_encoder> make_latent_encoder(const load_options& options);

} // namespace musetalk::models
