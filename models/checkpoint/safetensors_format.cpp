#include "models/checkpoint/byte_reader.hpp"
#include "models/checkpoint/checkpoint_formats.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/checkpoint/pickle_globals.hpp"

#include <algorithm>

namespace musetalk::models {

namespace {

constexpr uint64_t max_header_bytes = uint64_t{32} << 20;

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::models_invalid, "damaged safetensors file: " + why};
}

struct type_name {
  std::string_view name;
  element type;
};

constexpr type_name type_names[] = {
    {"F32", element::float32},  {"F16", element::float16}, {"BF16", element::bfloat16},
    {"F64", element::float64},  {"I64", element::int64},   {"I32", element::int32},
    {"I16", element::int16},    {"I8", element::int8},     {"U8", element::uint8},
    {"BOOL", element::boolean},
};

element type_of(const std::string& name) {
  for (const auto& x : type_names)
    if (x.name == name)
      return x.type;
  refuse("the unknown element type " + printable(name));
}

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  auto strides = std::vector<int64_t>(shape.size());
  auto step = int64_t{1};
  for (auto i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

} // namespace

bool looks_like_safetensors(std::span<const std::byte> file) noexcept {
  return file.size() > 8 && file[8] == std::byte{'{'} && file[6] == std::byte{0} &&
         file[7] == std::byte{0};
}

table_of_contents read_safetensors(std::span<const std::byte> file) {
  auto in = byte_reader{file};
  auto header_bytes = in.take<uint64_t>();
  if (header_bytes > max_header_bytes || header_bytes > in.left())
    refuse("a header of " + std::to_string(header_bytes) + " bytes does not fit the file");
  auto header = json_value::parse(in.take_text(header_bytes));
  auto data = file.subspan(in.position());
  auto toc = table_of_contents{};
  struct range {
    uint64_t first, last;
  };
  auto ranges = std::vector<range>{};
  for (const auto& [name, x] : header.members()) {
    if (name == "__metadata__")
      continue;
    auto t = tensor_view{name, type_of(x.at("dtype").text()), {}, {}, 0, toc.storages.size()};
    for (const auto& n : x.at("shape").items())
      t.shape.push_back(n.integer());
    t.strides = row_major(t.shape);
    const auto& offsets = x.at("data_offsets").items();
    if (offsets.size() != 2 || offsets[0].integer() < 0 ||
        offsets[1].integer() < offsets[0].integer())
      refuse("a tensor without a place");
    auto r = range{static_cast<uint64_t>(offsets[0].integer()),
                   static_cast<uint64_t>(offsets[1].integer())};
    if (r.last > data.size())
      refuse("the values of " + printable(name) + " lie beyond its end (it is probably truncated)");
    if (r.last - r.first != static_cast<uint64_t>(element_count(t.shape)) * size_of(t.type))
      refuse("the place of " + printable(name) + " does not fit its shape " + to_string(t.shape));
    ranges.push_back(r);
    toc.storages.push_back({name, {}, data.subspan(r.first, r.last - r.first), {}});
    toc.tensors.push_back(std::move(t));
  }
  // The format allows neither holes nor overlaps: they could hide something.
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.last < b.last;
  });
  auto end = uint64_t{0};
  for (const auto& r : ranges) {
    if (r.first != end)
      refuse("its tensors overlap or leave holes");
    end = r.last;
  }
  if (end != data.size())
    refuse(std::to_string(data.size() - end) + " bytes follow its last tensor");
  if (toc.tensors.empty())
    refuse("it holds no tensors");
  return toc;
}

} // namespace musetalk::models
