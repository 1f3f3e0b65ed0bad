#pragma once

#include <filesystem>

namespace musetalk::http {

/// Proves that no other process works on a folder: holds a lock on a file in it for as long as it
/// lives. The kernel lets go of it when the process ends, however it ends.
class instance_lock {
public:
  /// Makes the folder if it is missing.
  /// @throws error `settings_invalid` when another process holds it (the detail has its id), or
  /// `storage_failed` when the folder cannot be made or written.
  explicit instance_lock(const std::filesystem::path& folder);
  instance_lock(const instance_lock&) = delete;
  instance_lock& operator=(const instance_lock&) = delete;
  ~instance_lock();

private:
  int fd_ = -1;
};

} // namespace musetalk::http
