#include "models/checkpoint/zip_archive.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/byte_reader.hpp"
#include "models/checkpoint/crc32.hpp"

#include <algorithm>
#include <vector>

namespace musetalk::models {

namespace {

// Sizes and signatures of APPNOTE.TXT 6.3.
constexpr uint32_t local_signature = 0x04034B50;
constexpr uint32_t central_signature = 0x02014B50;
constexpr uint32_t end_signature = 0x06054B50;
constexpr uint32_t end64_signature = 0x06064B50;
constexpr uint32_t locator64_signature = 0x07064B50;
constexpr size_t local_bytes = 30;
constexpr size_t end_bytes = 22;
constexpr size_t locator64_bytes = 20;
constexpr size_t max_comment_bytes = 65535;
constexpr uint64_t max_entries = 100'000;
constexpr uint16_t zip64_extra_id = 1;
constexpr uint16_t encrypted_flag = 1;

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::models_invalid, "damaged or foreign zip archive: " + why};
}

struct directory {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

byte_reader reader_at(std::span<const std::byte> file, uint64_t offset) {
  if (offset > file.size())
    refuse("a record lies beyond the end of the file");
  return byte_reader{file.subspan(offset)};
}

/// Position of the end record: it is followed by its comment and nothing else.
size_t find_end(std::span<const std::byte> file) {
  if (file.size() < end_bytes)
    refuse("shorter than the smallest archive");
  auto last = file.size() - end_bytes;
  auto first = last > max_comment_bytes ? last - max_comment_bytes : 0;
  for (auto at = last + 1; at-- > first;) {
    auto r = byte_reader{file.subspan(at)};
    if (r.take<uint32_t>() != end_signature)
      continue;
    r.take_bytes(16);
    if (r.take<uint16_t>() == last - at)
      return at;
  }
  refuse("its directory is missing (the file is probably truncated)");
}

directory find_directory(std::span<const std::byte> file) {
  auto end = find_end(file);
  auto r = byte_reader{file.subspan(end)};
  r.take_bytes(4);
  auto disk = r.take<uint16_t>();
  auto start_disk = r.take<uint16_t>();
  r.take<uint16_t>();
  auto d = directory{r.take<uint16_t>(), 0, 0};
  d.bytes = r.take<uint32_t>();
  d.offset = r.take<uint32_t>();
  if ((disk != 0 && disk != 0xFFFF) || (start_disk != 0 && start_disk != 0xFFFF))
    refuse("it is one of several volumes");
  auto limit = end;
  auto wide = d.entries == 0xFFFF || d.bytes == 0xFFFFFFFF || d.offset == 0xFFFFFFFF;
  if (wide && end >= locator64_bytes) {
    auto locator = byte_reader{file.subspan(end - locator64_bytes)};
    if (locator.take<uint32_t>() == locator64_signature) {
      locator.take<uint32_t>();
      auto end64 = locator.take<uint64_t>();
      auto r64 = reader_at(file, end64);
      if (r64.take<uint32_t>() != end64_signature)
        refuse("its zip64 end record is not where its locator says");
      r64.take_bytes(20);
      r64.take<uint64_t>();
      d.entries = r64.take<uint64_t>();
      d.bytes = r64.take<uint64_t>();
      d.offset = r64.take<uint64_t>();
      limit = end64;
    }
  }
  if (d.entries > max_entries)
    refuse(std::to_string(d.entries) + " entries (limit " + std::to_string(max_entries) + ")");
  if (d.offset > limit || d.bytes > limit - d.offset)
    refuse("its directory lies outside the file");
  return d;
}

void check_name(std::string_view name) {
  auto bad = name.empty() || name.front() == '/' || name.find('\\') != name.npos ||
             name.find('\0') != name.npos || name.find(':') != name.npos;
  for (size_t at = 0; !bad && at <= name.size();) {
    auto end = std::min(name.find('/', at), name.size());
    bad = name.substr(at, end - at) == "..";
    at = end + 1;
  }
  if (bad)
    refuse("an entry has a name that leaves the archive");
}

struct central_record {
  std::string name;
  uint32_t crc = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

/// Takes one record of the central directory.
central_record take_record(byte_reader& r) {
  if (r.take<uint32_t>() != central_signature)
    refuse("its directory is damaged");
  r.take_bytes(4);
  auto flags = r.take<uint16_t>();
  auto method = r.take<uint16_t>();
  r.take_bytes(4);
  auto record = central_record{};
  record.crc = r.take<uint32_t>();
  uint64_t packed = r.take<uint32_t>();
  record.bytes = r.take<uint32_t>();
  auto name_bytes = r.take<uint16_t>();
  auto extra_bytes = r.take<uint16_t>();
  auto comment_bytes = r.take<uint16_t>();
  r.take_bytes(8);
  record.offset = r.take<uint32_t>();
  record.name = r.take_text(name_bytes);
  auto extra = byte_reader{r.take_bytes(extra_bytes)};
  r.take_bytes(comment_bytes);
  // The zip64 field holds, in this order, those of the three that do not fit above.
  while (extra.left() >= 4) {
    auto id = extra.take<uint16_t>();
    auto field = byte_reader{extra.take_bytes(extra.take<uint16_t>())};
    if (id != zip64_extra_id)
      continue;
    for (auto* x : {&record.bytes, &packed, &record.offset})
      if (*x == 0xFFFFFFFF)
        *x = field.take<uint64_t>();
  }
  if (flags & encrypted_flag)
    refuse("encrypted entries");
  if (method != 0 || packed != record.bytes)
    refuse("compressed entries, which PyTorch never writes");
  return record;
}

/// Where the bytes of an entry start, by its local header.
uint64_t data_offset(std::span<const std::byte> file, const central_record& record) {
  auto r = reader_at(file, record.offset);
  if (r.take<uint32_t>() != local_signature)
    refuse("an entry is not where the directory says");
  r.take_bytes(22);
  auto name_bytes = r.take<uint16_t>();
  auto extra_bytes = r.take<uint16_t>();
  if (r.take_text(name_bytes) != record.name)
    refuse("the directory and an entry disagree on its name");
  r.take_bytes(extra_bytes);
  return record.offset + local_bytes + name_bytes + extra_bytes;
}

} // namespace

zip_archive::zip_archive(std::span<const std::byte> file) {
  auto where = find_directory(file);
  auto records = byte_reader{file.subspan(where.offset, where.bytes)};
  struct extent {
    uint64_t first, last;
  };
  auto extents = std::vector<extent>{};
  for (uint64_t i = 0; i < where.entries; ++i) {
    auto record = take_record(records);
    check_name(record.name);
    auto start = data_offset(file, record);
    if (start > where.offset || record.bytes > where.offset - start)
      refuse("an entry of " + std::to_string(record.bytes) + " bytes does not fit the file");
    extents.push_back({record.offset, start + record.bytes});
    auto entry = zip_entry{file.subspan(start, record.bytes), record.crc};
    if (!entries_.emplace(std::move(record.name), entry).second)
      refuse("an entry occurs twice");
  }
  std::sort(extents.begin(), extents.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < extents.size(); ++i)
    if (extents[i].first < extents[i - 1].last)
      refuse("entries overlap");
}

const zip_entry* zip_archive::find(std::string_view name) const {
  auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : &it->second;
}

void check_crc(const zip_entry& entry, std::string_view name) {
  if (crc32(entry.bytes) != entry.crc)
    throw error{errc::models_invalid,
                "the checksum of entry " + std::string{name} + " differs: the file is damaged"};
}

} // namespace musetalk::models
