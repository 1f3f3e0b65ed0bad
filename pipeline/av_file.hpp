#pragma once

#include "pipeline/av.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace musetalk::pipeline::av {

/// A file on disk as libav reads it: through one descriptor that was opened here, so no URL, no
/// protocol and no second file is ever within reach of a demuxer.
class input_file {
public:
  /// Opens a plain file; a link, a folder, a device or a pipe is refused.
  /// @throws error `video_path_not_found`, `video_empty`, `storage_failed`.
  explicit input_file(const std::filesystem::path& path);
  input_file(const input_file&) = delete;
  input_file& operator=(const input_file&) = delete;
  ~input_file();

  /// Stays with this object.
  AVIOContext* io() const noexcept { return io_; }
  uint64_t bytes() const noexcept { return bytes_; }

  /// Reads fail with AVERROR_EXIT from then on. `clear_deadline` ends that.
  void set_deadline(std::chrono::steady_clock::time_point when) noexcept { deadline_ = when; }
  void clear_deadline() noexcept { deadline_ = std::chrono::steady_clock::time_point::max(); }
  bool expired() const noexcept { return std::chrono::steady_clock::now() >= deadline_; }

private:
  static int read(void* self, uint8_t* to, int size);
  static int64_t seek(void* self, int64_t offset, int whence);

  int fd_ = -1;
  uint64_t bytes_ = 0;
  int64_t position_ = 0;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  AVIOContext* io_ = nullptr;
};

/// A new file as libav writes it. What is written stays when the object goes.
class output_file {
public:
  /// Makes the file; it must not exist. @throws error `storage_full`, `storage_failed`.
  explicit output_file(const std::filesystem::path& path);
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;
  ~output_file();

  AVIOContext* io() const noexcept { return io_; }

  /// A second view to read what was written (the muxer moves the index to the front with it).
  /// Released by `close_reader`.
  AVIOContext* open_reader();
  static void close_reader(AVIOContext* reader) noexcept;

  /// @throws error `storage_full`, `storage_failed` when a write has failed.
  void require_written() const;

private:
  struct view;
  static int write(void* self, uint8_t* from, int size);
  static int64_t seek(void* self, int64_t offset, int whence);

  int fd_ = -1;
  int64_t position_ = 0;
  int failure_ = 0; // errno of the first write that failed
  AVIOContext* io_ = nullptr;
};

} // namespace musetalk::pipeline::av
