#pragma once

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// A video that `tests/data/make_media.sh` has made.
inline std::filesystem::path media(const std::string& name) {
  return std::filesystem::path{MUSETALK_BINARY_DIR} / "tests" / "media" / name;
}

/// A folder of its own for one test; goes with the object.
class scratch_folder {
public:
  scratch_folder() {
    auto name = std::filesystem::temp_directory_path() / "musetalk-media-XXXXXX";
    auto text = name.string();
    path_ = ::mkdtemp(text.data());
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

inline std::vector<uint8_t> read_bytes(const std::filesystem::path& path) {
  auto in = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  auto out = std::ofstream{path, std::ios::binary};
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

/// The error that `work` throws; fails the test when it throws none.
inline error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const error& x) {
    return x;
  }
  ADD_FAILURE() << "nothing was thrown";
  return error(errc::internal, "nothing was thrown");
}

} // namespace musetalk::pipeline
