#include "pipeline/tar_writer.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace musetalk::pipeline {

namespace {

constexpr auto max_path_bytes = size_t{100};
constexpr auto max_file_bytes = uint64_t{8} << 30;

std::string header(const std::string& path, const std::string& first, char type, uint64_t bytes,
                   int64_t mtime_s) {
  if (path.size() > max_path_bytes || first.size() > max_path_bytes || bytes >= max_file_bytes)
    throw error(errc::internal, "A file that does not fit into a tar.", path);
  auto result = std::string(tar_block_bytes, '\0');
  auto put = [&](size_t at, const std::string& text) {
    std::memcpy(result.data() + at, text.data(), text.size());
  };
  auto octal = [&](size_t at, int digits, uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    put(at, text);
  };
  put(0, path);
  octal(100, 7, 0644);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, bytes);
  octal(136, 11, static_cast<uint64_t>(std::max<int64_t>(mtime_s, 0)));
  put(148, "        ");
  result[156] = type;
  put(157, first);
  put(257, std::string{"ustar\00000", 8});
  auto sum = uint64_t{0};
  for (auto c : result)
    sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  result[154] = '\0';
  return result;
}

} // namespace

std::string tar_file_header(const std::string& path, uint64_t bytes, int64_t mtime_s) {
  return header(path, "", '0', bytes, mtime_s);
}

std::string tar_link_header(const std::string& path, const std::string& first, int64_t mtime_s) {
  return header(path, first, '1', 0, mtime_s);
}

std::string tar_end() {
  return std::string(2 * tar_block_bytes, '\0');
}

} // namespace musetalk::pipeline
