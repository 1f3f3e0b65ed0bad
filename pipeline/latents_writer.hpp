#pragma once

#include "pipeline/hashing_file.hpp"
#include "pipeline/prepared.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Writes `latents.pt` as `torch.save` of a Python list of fp16 tensors `[1, 8, 32, 32]` on
/// `cuda:0` would: a zip without compression that holds one storage per frame and a pickle that
/// names each of them twice, forwards and backwards. `torch.load` opens it with and without
/// `weights_only`. Values go to the disk as they come; only 16 bytes per frame are kept.
class latents_writer {
public:
  /// Frames of one file: a zip without 64-bit extensions counts its entries in 16 bits.
  static constexpr size_t max_latents = 65'000;

  /// @throws error `storage_*`.
  explicit latents_writer(const std::filesystem::path& path);

  /// @throws error `storage_*`, `internal` for a latent of another size, `video_too_many_frames`.
  void append(const latent& next);

  size_t size() const noexcept { return count_; }

  /// Ends the file. @throws error `storage_*`.
  file_sum finish();

private:
  struct entry {
    std::string name;
    uint32_t crc = 0;
    uint32_t bytes = 0;
    uint32_t offset = 0; // of the local header
  };

  void add_entry(std::string name, std::span<const std::byte> bytes);
  std::string list_pickle() const;

  hashing_file target_;
  std::vector<entry> entries_;
  size_t count_ = 0;
};

} // namespace musetalk::pipeline
