#include "pipeline/tar_reader.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr auto block_bytes = size_t{512};

/// Of an extended header or a long name: a path and a few attributes.
constexpr auto max_extension_bytes = uint64_t{64} << 10;
constexpr auto max_path_bytes = size_t{512};

using block = std::array<char, block_bytes>;

[[noreturn]] void refuse(const std::string& why) {
  throw error(errc::request_malformed, "The archive " + why);
}

/// A field of a header up to its first zero.
std::string_view text_in(const block& head, size_t at, size_t size) {
  auto field = std::string_view{head.data() + at, size};
  return field.substr(0, field.find('\0'));
}

/// Octal digits with blanks around them, or GNU's binary form of large numbers.
uint64_t number_in(const block& head, size_t at, size_t size) {
  auto first = static_cast<unsigned char>(head[at]);
  if (first == 0x80) {
    auto value = uint64_t{0};
    for (auto i = size_t{1}; i < size; ++i) {
      if (value >> 55 != 0)
        refuse("has a number that is too large.");
      value = value << 8 | static_cast<unsigned char>(head[at + i]);
    }
    return value;
  }
  auto digits = text_in(head, at, size);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  auto value = uint64_t{0};
  auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (failure != std::errc{} && !digits.empty())
    refuse("has a number that is none.");
  if (end != digits.data() + digits.size())
    refuse("has a number that is none.");
  return value;
}

/// The sum of all bytes, its own field counted as blanks. Old programs added signed bytes.
bool sum_fits(const block& head) {
  auto plain = int64_t{0};
  auto with_sign = int64_t{0};
  for (auto i = size_t{0}; i < block_bytes; ++i) {
    auto byte = i >= 148 && i < 156 ? ' ' : head[i];
    plain += static_cast<unsigned char>(byte);
    with_sign += static_cast<signed char>(byte);
  }
  auto stated = static_cast<int64_t>(number_in(head, 148, 8));
  return stated == plain || stated == with_sign;
}

bool is_zero(const block& head) {
  return std::all_of(head.begin(), head.end(), [](char c) { return c == 0; });
}

/// A path that names a file below the folder it is read into, in one way only.
std::string checked_path(std::string path) {
  while (path.starts_with("./"))
    path.erase(0, 2);
  if (path.empty() || path.size() > max_path_bytes)
    refuse("has an entry with an empty path or one that is too long.");
  for (auto c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\')
      refuse("has an entry with control characters in its path.");
  auto rest = std::string_view{path};
  while (true) {
    auto end = std::min(rest.find('/'), rest.size());
    auto part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..")
      refuse("has an entry whose path is absolute or leaves its folder.");
    if (end == rest.size())
      return path;
    rest.remove_prefix(end + 1);
  }
}

/// What precedes an entry and changes it.
struct extension {
  std::optional<std::string> path;
  std::optional<uint64_t> bytes;
};

/// Records `length key=value\n` of a pax header.
void read_pax(std::string_view text, extension& next) {
  while (!text.empty()) {
    auto length = size_t{0};
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
    auto begin = static_cast<size_t>(end - text.data()) + 1;
    if (failure != std::errc{} || length > text.size() || length <= begin || *end != ' ' ||
        text[length - 1] != '\n')
      refuse("has a damaged extended header.");
    auto record = text.substr(begin, length - begin - 1);
    text.remove_prefix(length);
    auto equals = record.find('=');
    if (equals == std::string_view::npos)
      refuse("has a damaged extended header.");
    auto key = record.substr(0, equals);
    auto value = record.substr(equals + 1);
    if (key.starts_with("GNU.sparse"))
      refuse("has a sparse file.");
    if (key == "path")
      next.path = std::string{value};
    if (key == "linkpath")
      refuse("has a link with a long name.");
    if (key != "size")
      continue;
    auto bytes = uint64_t{0};
    auto [stop, bad] = std::from_chars(value.data(), value.data() + value.size(), bytes);
    if (bad != std::errc{} || stop != value.data() + value.size())
      refuse("has a damaged extended header.");
    next.bytes = bytes;
  }
}

class table_reader {
public:
  table_reader(file& archive, const tar_limits& limits)
      : archive_(archive), limits_(limits), size_(archive.size()) {}

  std::map<std::string, tar_entry> run() {
    auto head = block{};
    auto next = extension{};
    while (read_block(head)) {
      if (++entries_ > limits_.max_entries)
        refuse("has more than " + std::to_string(limits_.max_entries) + " entries.");
      take(head, next);
    }
    if (files_.empty())
      refuse("holds no files, or is no tar.");
    return std::move(files_);
  }

private:
  /// False at the two zero blocks that end an archive.
  bool read_block(block& head) {
    auto read = [&] {
      if (!archive_.read_at(place_, std::as_writable_bytes(std::span{head})))
        refuse("ends too early, or is no tar.");
      place_ += block_bytes;
    };
    read();
    if (!is_zero(head))
      return true;
    read();
    if (!is_zero(head))
      refuse("has a hole in its table.");
    return false;
  }

  std::string read_text(uint64_t offset, uint64_t bytes) {
    if (bytes > max_extension_bytes)
      refuse("has an extended header of more than 64 KiB.");
    auto text = std::string(bytes, '\0');
    if (!archive_.read_at(offset, std::as_writable_bytes(std::span{text})))
      refuse("ends too early.");
    return text;
  }

  void take(const block& head, extension& next) {
    if (!sum_fits(head))
      refuse("has a header whose sum does not fit, or is no tar.");
    auto type = head[156];
    auto is_extension = type == 'x' || type == 'g' || type == 'L';
    auto bytes = !is_extension && next.bytes ? *next.bytes : number_in(head, 124, 12);
    // Programs write sizes for entries that have no bytes of their own.
    if (type == '1' || type == '5')
      bytes = 0;
    auto entry = tar_entry{place_, bytes};
    if (bytes > size_ - std::min(place_, size_))
      refuse("ends too early.");
    place_ += (bytes + block_bytes - 1) / block_bytes * block_bytes;
    if (is_extension) {
      extend(type, entry, next);
      return;
    }
    auto path = next.path ? *next.path : path_in(head);
    next = {};
    add(type, std::move(path), entry, head);
  }

  void extend(char type, const tar_entry& entry, extension& next) {
    auto text = read_text(entry.offset, entry.bytes);
    if (type == 'L')
      next.path = text.substr(0, text.find('\0'));
    else if (type == 'x')
      read_pax(text, next);
    // What holds for all entries ('g') says nothing about path or size of one.
  }

  static std::string path_in(const block& head) {
    auto path = std::string{text_in(head, 0, 100)};
    auto prefix = text_in(head, 345, 155);
    // GNU's own form has other fields there.
    if (std::string_view{head.data() + 257, 6} == std::string_view{"ustar\0", 6} && !prefix.empty())
      path = std::string{prefix} + "/" + path;
    return path;
  }

  void add(char type, std::string path, const tar_entry& entry, const block& head) {
    if (type == '5') {
      while (path.ends_with('/'))
        path.pop_back();
      if (path != "." && !path.empty())
        checked_path(std::move(path));
      return;
    }
    if (type != '0' && type != '\0' && type != '1')
      refuse("has an entry that is no plain file: links, devices and the like are not taken.");
    path = checked_path(std::move(path));
    auto found = entry;
    if (type == '1') {
      // A second name, of a file of this archive and of nothing else.
      auto first = files_.find(checked_path(std::string{text_in(head, 157, 100)}));
      if (first == files_.end())
        refuse("has a hard link to a file that did not come before it.");
      found = first->second;
    } else if ((total_ += entry.bytes) > limits_.max_bytes) {
      refuse("holds more than " + std::to_string(limits_.max_bytes) + " bytes.");
    }
    if (!files_.emplace(std::move(path), found).second)
      refuse("has two entries of the same path.");
  }

  file& archive_;
  tar_limits limits_;
  uint64_t size_;
  uint64_t place_ = 0;
  size_t entries_ = 0;
  uint64_t total_ = 0;
  std::map<std::string, tar_entry> files_;
};

} // namespace

std::map<std::string, tar_entry> read_tar_table(file& archive, const tar_limits& limits) {
  return table_reader{archive, limits}.run();
}

} // namespace musetalk::pipeline
