#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace musetalk::test {

/// A folder of a test's own, removed with all below.
class temporary_folder {
public:
  temporary_folder() : temporary_folder(std::filesystem::temp_directory_path()) {
    // nop
  }

  explicit temporary_folder(const std::filesystem::path& parent) {
    auto pattern = (parent / "musetalk-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }

  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  ~temporary_folder() {
    auto ignored = std::error_code{};
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  /// Where syncing costs nothing, for tests that do it thousands of times; the usual place where
  /// there is no such folder.
  static std::filesystem::path in_memory() {
    auto shared = std::filesystem::path{"/dev/shm"};
    return ::access(shared.c_str(), W_OK) == 0 ? shared : std::filesystem::temp_directory_path();
  }

private:
  std::filesystem::path path_;
};

} // namespace musetalk::test
