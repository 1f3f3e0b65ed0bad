#include "models/checkpoint/byte_reader.hpp"
#include "models/checkpoint/checkpoint_formats.hpp"
#include "models/checkpoint/pickle_globals.hpp"
#include "models/checkpoint/pickle_reader.hpp"
#include "models/checkpoint/zip_archive.hpp"

#include <array>
#include <unordered_map>

namespace musetalk::models {

namespace {

// The long 0x1950a86a20f9469cfc6c as the pickle `PROTO 2, LONG1 10 bytes`.
constexpr std::array<uint8_t, 14> legacy_magic = {0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C,
                                                  0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19};
constexpr int64_t legacy_protocol = 1001;
constexpr std::string_view pickle_entry = "/data.pkl";

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::models_invalid, why};
}

/// Named tensors below the outermost value.
std::vector<std::pair<std::string, const pickle_value*>> named_tensors(const pickle& p) {
  auto out = std::vector<std::pair<std::string, const pickle_value*>>{};
  const auto* root = &p[p.root];
  if (const auto* inner = p.find(*root, "state_dict"); inner && inner->kind == pickle_kind::dict)
    root = inner;
  if (root->kind == pickle_kind::dict) {
    const auto& items = p.items(*root);
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      if (p[items[i]].kind == pickle_kind::text && p[items[i + 1]].kind == pickle_kind::tensor)
        out.emplace_back(p[items[i]].text, &p[items[i + 1]]);
  } else if (root->kind == pickle_kind::list || root->kind == pickle_kind::tuple) {
    for (auto id : p.items(*root))
      if (p[id].kind == pickle_kind::tensor)
        out.emplace_back(std::to_string(out.size()), &p[id]);
    if (out.size() != p.items(*root).size())
      refuse("its outermost list holds something else than tensors");
  }
  if (out.empty())
    refuse("it holds no tensors by name");
  return out;
}

/// The table of contents of a pickle, with `locate(storage)` telling where a storage lies.
template <class Locate>
table_of_contents collect(const pickle& p, Locate locate) {
  auto toc = table_of_contents{};
  auto by_key = std::unordered_map<std::string_view, size_t>{};
  for (auto& [name, value] : named_tensors(p)) {
    const auto& tensor = p.tensors[value->index];
    const auto& s = p.storages[tensor.storage];
    auto [it, fresh] = by_key.emplace(s.key, toc.storages.size());
    if (fresh)
      toc.storages.push_back(locate(s));
    // A second id of the same key may claim another size or type.
    if (toc.storages[it->second].bytes.size() / size_of(s.type) < static_cast<uint64_t>(s.elements))
      refuse("storage " + printable(s.key) + " holds " +
             std::to_string(toc.storages[it->second].bytes.size()) + " bytes, its tensors need " +
             std::to_string(s.elements) + " values of " + std::to_string(size_of(s.type)));
    toc.tensors.push_back(
        {std::move(name), s.type, tensor.shape, tensor.strides, tensor.offset, it->second});
  }
  return toc;
}

/// `top` of `top/data.pkl`, the shallowest one.
std::string find_top(const zip_archive& zip) {
  auto top = std::string{};
  auto found = false;
  for (const auto& [name, entry] : zip.entries()) {
    if (!name.ends_with(pickle_entry))
      continue;
    auto candidate = name.substr(0, name.size() - pickle_entry.size());
    if (candidate.find('/') != std::string::npos)
      continue;
    if (found)
      refuse("it holds several pickles");
    top = candidate;
    found = true;
  }
  if (!found)
    refuse("a zip archive without data.pkl: no PyTorch file");
  return top;
}

} // namespace

bool looks_like_torch_zip(std::span<const std::byte> file) noexcept {
  return file.size() >= 4 && std::memcmp(file.data(), "PK\x03\x04", 4) == 0;
}

bool looks_like_torch_legacy(std::span<const std::byte> file) noexcept {
  // Only the start: a file with a damaged magic number is better called damaged than unknown.
  return file.size() >= 4 && std::memcmp(file.data(), legacy_magic.data(), 4) == 0;
}

table_of_contents read_torch_zip(std::span<const std::byte> file) {
  auto zip = zip_archive{file};
  auto top = find_top(zip);
  if (const auto* order = zip.find(top + "/byteorder")) {
    check_crc(*order, "byteorder");
    if (order->bytes.size() != 6 || std::memcmp(order->bytes.data(), "little", 6) != 0)
      refuse("its numbers are big-endian");
  }
  const auto* entry = zip.find(top + std::string{pickle_entry});
  check_crc(*entry, "data.pkl");
  auto p = read_pickle(entry->bytes);
  if (p.bytes_read != entry->bytes.size())
    refuse("bytes follow the end of its pickle");
  return collect(p, [&](const pickle_storage& s) {
    const auto* data = zip.find(top + "/data/" + std::string{s.key});
    if (!data)
      refuse("the values of storage " + printable(s.key) + " are absent");
    return checkpoint::storage{std::string{s.key}, std::string{s.location}, data->bytes, data->crc};
  });
}

table_of_contents read_torch_legacy(std::span<const std::byte> file) {
  if (file.size() < legacy_magic.size() + 1 ||
      std::memcmp(file.data(), legacy_magic.data(), legacy_magic.size()) != 0)
    refuse("its magic number is not that of a legacy PyTorch file");
  auto at = size_t{0};
  auto next = [&] {
    auto p = read_pickle(file.subspan(at));
    at += p.bytes_read;
    return p;
  };
  next();
  auto version = next();
  if (version[version.root].kind != pickle_kind::integer ||
      version[version.root].integer != legacy_protocol)
    refuse("its protocol version is not 1001");
  auto system = next();
  if (const auto* little = system.find(system[system.root], "little_endian");
      little && little->integer == 0)
    refuse("its numbers are big-endian");
  auto object = next();
  auto keys = next();
  // After the pickles: for each key its element count and its values. The sizes of elements are in
  // the object.
  auto sizes = std::unordered_map<std::string_view, const pickle_storage*>{};
  for (const auto& s : object.storages) {
    auto [it, fresh] = sizes.emplace(s.key, &s);
    if (!fresh && (it->second->type != s.type || it->second->elements != s.elements))
      refuse("storage " + printable(s.key) + " is described twice and differently");
  }
  auto places = std::unordered_map<std::string_view, std::span<const std::byte>>{};
  auto rest = byte_reader{file.subspan(at)};
  if (keys[keys.root].kind != pickle_kind::list)
    refuse("its list of storages is missing");
  for (auto id : keys.items(keys[keys.root])) {
    const auto& key = keys[id];
    auto known = sizes.find(key.text);
    if (key.kind != pickle_kind::text || known == sizes.end())
      refuse("it lists a storage that nothing refers to");
    auto count = rest.take<int64_t>();
    if (count != known->second->elements)
      refuse("storage " + printable(key.text) + " claims " + std::to_string(count) +
             " values, its tensors " + std::to_string(known->second->elements));
    if (static_cast<uint64_t>(count) > rest.left() / size_of(known->second->type))
      refuse("the file is truncated: storage " + printable(key.text) + " needs " +
             std::to_string(count) + " values, " + std::to_string(rest.left()) + " bytes are left");
    auto bytes = rest.take_bytes(static_cast<uint64_t>(count) * size_of(known->second->type));
    if (!places.emplace(known->first, bytes).second)
      refuse("a storage is listed twice");
  }
  return collect(object, [&](const pickle_storage& s) {
    auto place = places.find(s.key);
    if (place == places.end())
      refuse("the values of storage " + printable(s.key) + " are absent");
    return checkpoint::storage{std::string{s.key}, std::string{s.location}, place->second, {}};
  });
}

} // namespace musetalk::models
