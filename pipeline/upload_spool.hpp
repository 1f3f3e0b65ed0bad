#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// A file that has arrived whole.
struct spooled_file {
  std::string upload_id;
  std::filesystem::path path; ///< `.uploads/<upload_id>/source`.
  uint64_t bytes = 0;
  std::string sha256; ///< Lower-case hex.
};

/// Takes an upload's bytes as they come: writes them to the upload's folder and hashes on the way,
/// in constant memory. Owns the folder until `keep`: destroying the spool removes it.
class upload_spool {
public:
  /// Makes the upload's folder.
  /// @param folder `store_layout::upload(upload_id)`; must not exist, its parent must.
  /// @throws error `storage_*`.
  upload_spool(const std::filesystem::path& folder, std::string upload_id, uint64_t max_bytes);
  upload_spool(const upload_spool&) = delete;
  upload_spool& operator=(const upload_spool&) = delete;
  ~upload_spool();

  /// @throws error `request_too_large` beyond the limit, `storage_*`.
  void write(std::span<const std::byte> bytes);

  /// Ends the file and syncs it. @throws error `video_empty`, `storage_*`.
  spooled_file finish();

  /// From here on the folder belongs to the caller.
  void keep() noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace musetalk::pipeline
