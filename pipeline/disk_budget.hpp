#pragma once

#include "pipeline/disk.hpp"
#include "pipeline/media_info.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace musetalk::pipeline {

/// How large a version becomes.
struct size_rule {
  bool mock = false;             ///< Only the converted video is kept.
  int32_t video_kilobits = 3000; ///< Per second, of `video.mp4`.
};

/// Room for what is being made: each version claims what it is predicted to need before its first
/// byte, and what is written is taken off its claim. Thread-safe.
class disk_budget : public std::enable_shared_from_this<disk_budget> {
public:
  using look = std::function<std::optional<disk_space>()>;

  /// A claim on room; given back with the object.
  class claim {
  public:
    claim(std::shared_ptr<disk_budget> owner, uint64_t number);
    claim(const claim&) = delete;
    claim& operator=(const claim&) = delete;
    ~claim();

    /// A share of 0 to 1 of it is written by now, and so is no longer free.
    void written(double share);

  private:
    std::shared_ptr<disk_budget> owner_;
    uint64_t number_;
  };

  /// @param space Asks the disk. Nothing: then there is no limit.
  disk_budget(look space, const size_rule& rule);

  /// Bytes of the version that is made of a video: frames x pixels x what a pixel was measured to
  /// take, latents, and `video.mp4`.
  uint64_t predict(const media_info& video) const;

  /// The pictures of a version took so many bytes: later predictions follow, half of the way.
  void measured(const media_info& video, int64_t frames, uint64_t bytes);

  /// @throws error `storage_full` with the numbers when the version cannot fit even when nothing
  /// else is being made.
  void require_possible(const media_info& video) const;

  /// @throws error `storage_full` with the numbers when the version does not fit beside those that
  /// are being made.
  std::unique_ptr<claim> reserve(const media_info& video);

  /// Bytes that are claimed and not yet written.
  uint64_t reserved() const;

private:
  struct entry {
    uint64_t bytes = 0;
    double written = 0.;
  };

  void release(uint64_t number);
  uint64_t reserved_locked() const;

  look space_;
  size_rule rule_;
  mutable std::mutex mutex_;
  std::map<uint64_t, entry> claims_;
  uint64_t last_number_ = 0;
  double bytes_per_pixel_; ///< Of picture and mask.
};

} // namespace musetalk::pipeline
