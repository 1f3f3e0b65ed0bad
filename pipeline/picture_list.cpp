#include "pipeline/picture_list.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr size_t max_pictures = 1'000'000;

[[noreturn]] void damaged(const std::string& detail, const std::string& cause = {}) {
  throw error(errc::avatar_damaged, detail, cause);
}

/// `full_imgs/00000007.png`: as much of a path as the public may know.
std::string public_name(const fs::path& path) {
  return (path.parent_path().filename() / path.filename()).string();
}

int32_t big_endian(const std::byte* at) {
  auto value = uint32_t{0};
  for (auto i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<uint32_t>(at[i]);
  return static_cast<int32_t>(value);
}

/// Whether a name matches `*.[jpJP][pnPN]*[gG]`.
bool is_picture(const std::string& name) {
  auto one_of = [](char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
  };
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    if (name.size() >= dot + 4 && one_of(name[dot + 1], "jpJP") && one_of(name[dot + 2], "pnPN") &&
        one_of(name.back(), "gG"))
      return name.front() != '.';
  return false;
}

} // namespace

png_head read_png_head(const fs::path& path) {
  constexpr auto signature = std::array<unsigned char, 16>{
      0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  constexpr auto end_mark =
      std::array<unsigned char, 12>{0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
  auto source = open_for_reading(path);
  auto head = std::array<std::byte, 26>{};
  auto tail = std::array<std::byte, end_mark.size()>{};
  auto size = source.size();
  if (size < head.size() + tail.size() || !source.read_at(0, head) ||
      !source.read_at(size - tail.size(), tail) ||
      std::memcmp(head.data(), signature.data(), signature.size()) != 0)
    damaged(public_name(path) + " is no PNG.");
  if (std::memcmp(tail.data(), end_mark.data(), end_mark.size()) != 0)
    damaged(public_name(path) + " is cut.");
  return {big_endian(&head[16]), big_endian(&head[20]), std::to_integer<int32_t>(head[24]),
          std::to_integer<int32_t>(head[25])};
}

std::vector<fs::path> list_pictures(const fs::path& folder) {
  auto name = folder.filename().string();
  auto reason = std::error_code{};
  auto found = std::vector<std::pair<uint64_t, fs::path>>{};
  auto entries = fs::directory_iterator{folder, reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason)) {
    auto file = entries->path().filename().string();
    if (!is_picture(file))
      continue;
    auto stem = entries->path().stem().string();
    auto number = uint64_t{0};
    auto end = stem.data() + stem.size();
    if (auto read = std::from_chars(stem.data(), end, number);
        read.ec != std::errc{} || read.ptr != end)
      damaged(name + " holds a picture whose name is no number.");
    if (entries->is_symlink(reason) || !entries->is_regular_file(reason))
      damaged(name + " holds a picture that is no plain file.");
    found.emplace_back(number, entries->path());
    if (found.size() > max_pictures)
      damaged(name + " holds more than " + std::to_string(max_pictures) + " pictures.");
  }
  if (reason)
    damaged(name + " is missing or cannot be listed.", reason.message());
  std::sort(found.begin(), found.end());
  auto result = std::vector<fs::path>{};
  for (auto& [number, path] : found) {
    if (number != result.size())
      damaged(name + " has no picture " + std::to_string(result.size()) + " but one of number " +
              std::to_string(number) + ".");
    result.push_back(std::move(path));
  }
  return result;
}

} // namespace musetalk::pipeline
