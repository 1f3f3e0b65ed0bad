#include "pipeline/av_file.hpp"

#include "pipeline/failpoint.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace musetalk::pipeline::av {

namespace {

constexpr int buffer_bytes = 64 << 10;

AVIOContext* make_io(void* self, bool writes, int (*read)(void*, uint8_t*, int),
                     int (*write)(void*, uint8_t*, int), int64_t (*seek)(void*, int64_t, int)) {
  auto* buffer = static_cast<uint8_t*>(av_malloc(buffer_bytes));
  auto* result = buffer != nullptr ? avio_alloc_context(buffer, buffer_bytes, writes ? 1 : 0, self,
                                                        read, write, seek)
                                   : nullptr;
  if (result == nullptr) {
    av_free(buffer);
    throw std::bad_alloc{};
  }
  return result;
}

void free_io(AVIOContext* io) noexcept {
  if (io == nullptr)
    return;
  av_freep(&io->buffer);
  avio_context_free(&io);
}

int64_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_size : AVERROR(errno);
}

int64_t moved(int fd, int64_t& position, int64_t offset, int whence) {
  auto target = offset;
  switch (whence & ~AVSEEK_FORCE) {
  case AVSEEK_SIZE:
    return size_of(fd);
  case SEEK_SET:
    break;
  case SEEK_CUR:
    target += position;
    break;
  case SEEK_END:
    target += size_of(fd);
    break;
  default:
    return AVERROR(EINVAL);
  }
  if (target < 0)
    return AVERROR(EINVAL);
  return position = target;
}

int read_at(int fd, int64_t& position, uint8_t* to, int size) {
  auto got = ssize_t{};
  do
    got = ::pread(fd, to, static_cast<size_t>(size), position);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return AVERROR(errno);
  if (got == 0)
    return AVERROR_EOF;
  position += got;
  return static_cast<int>(got);
}

[[noreturn]] void throw_storage(int failure) {
  if (failure == ENOSPC || failure == EDQUOT || failure == EFBIG)
    throw error(errc::storage_full, "The disk is full; the converted video could not be written.",
                std::strerror(failure));
  throw error(errc::storage_failed, "The converted video could not be written.",
              std::strerror(failure));
}

} // namespace

// -- input_file ---------------------------------------------------------------

input_file::input_file(const std::filesystem::path& path) {
  // A pipe would block in open without O_NONBLOCK; on plain files it means nothing.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd_ < 0) {
    const auto failure = errno;
    const auto absent = failure == ENOENT || failure == ENOTDIR || failure == ELOOP;
    throw error(absent ? errc::video_path_not_found : errc::storage_failed,
                absent ? "There is no plain file at that path." : "The video could not be opened.",
                path.string() + ": " + std::strerror(failure));
  }
  struct stat status {};
  const auto known = ::fstat(fd_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    throw error(errc::video_path_not_found, "There is no plain file at that path.", path.string());
  }
  if (status.st_size == 0) {
    ::close(fd_);
    throw error(errc::video_empty, "The file has 0 bytes.", path.string());
  }
  bytes_ = static_cast<uint64_t>(status.st_size);
  try {
    io_ = make_io(this, false, &input_file::read, nullptr, &input_file::seek);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

input_file::~input_file() {
  free_io(io_);
  ::close(fd_);
}

int input_file::read(void* self, uint8_t* to, int size) {
  auto& file = *static_cast<input_file*>(self);
  return file.expired() ? AVERROR_EXIT : read_at(file.fd_, file.position_, to, size);
}

int64_t input_file::seek(void* self, int64_t offset, int whence) {
  auto& file = *static_cast<input_file*>(self);
  return moved(file.fd_, file.position_, offset, whence);
}

// -- output_file --------------------------------------------------------------

struct output_file::view {
  int fd = -1;
  int64_t position = 0;

  static int read(void* self, uint8_t* to, int size) {
    auto& x = *static_cast<view*>(self);
    return read_at(x.fd, x.position, to, size);
  }
  static int64_t seek(void* self, int64_t offset, int whence) {
    auto& x = *static_cast<view*>(self);
    return moved(x.fd, x.position, offset, whence);
  }
};

output_file::output_file(const std::filesystem::path& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd_ < 0)
    throw_storage(errno);
  try {
    io_ = make_io(this, true, nullptr, &output_file::write, &output_file::seek);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

output_file::~output_file() {
  free_io(io_);
  ::close(fd_);
}

AVIOContext* output_file::open_reader() {
  auto state = std::make_unique<view>(view{fd_});
  auto* result = make_io(state.get(), false, &view::read, nullptr, &view::seek);
  state.release();
  return result;
}

void output_file::close_reader(AVIOContext* reader) noexcept {
  if (reader == nullptr)
    return;
  delete static_cast<view*>(reader->opaque);
  free_io(reader);
}

void output_file::require_written() const {
  if (failure_ != 0)
    throw_storage(failure_);
}

int output_file::write(void* self, uint8_t* from, int size) {
  auto& file = *static_cast<output_file*>(self);
  if (const auto reason = failpoint("video.write"); reason != 0) {
    file.failure_ = reason;
    return AVERROR(reason);
  }
  for (auto left = size; left > 0;) {
    const auto put = ::pwrite(file.fd_, from, static_cast<size_t>(left), file.position_);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0) {
      file.failure_ = file.failure_ != 0 ? file.failure_ : errno;
      return AVERROR(errno);
    }
    from += put;
    left -= static_cast<int>(put);
    file.position_ += put;
  }
  return size;
}

int64_t output_file::seek(void* self, int64_t offset, int whence) {
  auto& file = *static_cast<output_file*>(self);
  return moved(file.fd_, file.position_, offset, whence);
}

} // namespace musetalk::pipeline::av
