#include "pipeline/upload_spool.hpp"

#include "errors/error.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/sha256.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

/// Small pieces are gathered to this before they are hashed and written.
constexpr size_t piece_bytes = size_t{1} << 18;

/// The disk is told to begin writing after so many bytes, so that `finish` does not wait for all.
constexpr uint64_t flush_bytes = uint64_t{8} << 20;

} // namespace

struct upload_spool::impl {
  impl(fs::path folder_path, std::string id, uint64_t limit)
      : folder(std::move(folder_path)), upload_id(std::move(id)), max_bytes(limit) {
    pending.reserve(piece_bytes);
    disk_step("spool.folder", folder);
    if (::mkdir(folder.c_str(), 0755) != 0)
      throw_storage_error(errno, "making the upload's folder", folder);
    try {
      disk_step("spool.file", folder);
      target = create_file(folder / "source");
    } catch (...) {
      remove();
      throw;
    }
  }

  void remove() noexcept {
    auto ignored = std::error_code{};
    fs::remove_all(folder, ignored);
  }

  void put(std::span<const std::byte> bytes) {
    sum.update(bytes);
    disk_step("spool.write", folder);
    target.write(bytes);
    on_disk += bytes.size();
    if (on_disk - flushed < flush_bytes)
      return;
    // A hint only: `finish` syncs and tells what fails.
    ::sync_file_range(target.descriptor(), static_cast<off_t>(flushed),
                      static_cast<off_t>(on_disk - flushed), SYNC_FILE_RANGE_WRITE);
    flushed = on_disk;
  }

  void put_pending() {
    put(pending);
    pending.clear();
  }

  fs::path folder;
  std::string upload_id;
  uint64_t max_bytes;
  uint64_t received = 0;
  uint64_t on_disk = 0;
  uint64_t flushed = 0;
  file target;
  sha256 sum;
  std::vector<std::byte> pending;
  bool kept = false;
};

upload_spool::upload_spool(const fs::path& folder, std::string upload_id, uint64_t max_bytes)
    : impl_(std::make_unique<impl>(folder, std::move(upload_id), max_bytes)) {
  // nop
}

upload_spool::~upload_spool() {
  if (!impl_->kept)
    impl_->remove();
}

void upload_spool::write(std::span<const std::byte> bytes) {
  if (bytes.size() > impl_->max_bytes - impl_->received)
    throw error(errc::request_too_large, "The video has more than " +
                                             std::to_string(impl_->max_bytes) +
                                             " bytes, the limit of an upload.");
  impl_->received += bytes.size();
  // What is large enough goes through without a copy.
  while (!bytes.empty()) {
    if (impl_->pending.empty() && bytes.size() >= piece_bytes) {
      impl_->put(bytes.first(piece_bytes));
      bytes = bytes.subspan(piece_bytes);
      continue;
    }
    auto count = std::min(bytes.size(), piece_bytes - impl_->pending.size());
    impl_->pending.insert(impl_->pending.end(), bytes.begin(), bytes.begin() + count);
    bytes = bytes.subspan(count);
    if (impl_->pending.size() == piece_bytes)
      impl_->put_pending();
  }
}

spooled_file upload_spool::finish() {
  if (impl_->received == 0)
    throw error(errc::video_empty, "The uploaded video has 0 bytes.");
  impl_->put_pending();
  disk_step("spool.sync", impl_->folder);
  impl_->target.sync();
  impl_->target.close();
  disk_step("spool.folder_sync", impl_->folder);
  sync_folder(impl_->folder);
  sync_folder(impl_->folder.parent_path());
  return spooled_file{impl_->upload_id, impl_->folder / "source", impl_->received,
                      impl_->sum.finish()};
}

void upload_spool::keep() noexcept {
  failpoint("spool.done");
  impl_->kept = true;
}

} // namespace musetalk::pipeline
