#include "models/checkpoint/avatar_lists.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/pickle_reader.hpp"

#include <algorithm>
#include <cstring>

namespace musetalk::models {

namespace {

constexpr size_t max_boxes = 1'000'000;

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::avatar_damaged, why};
}

listed_box to_box(const pickle& p, const pickle_value& x) {
  if ((x.kind != pickle_kind::list && x.kind != pickle_kind::tuple) || p.items(x).size() != 4)
    refuse("an entry is not a box of four numbers");
  auto box = listed_box{};
  auto zeros = 0;
  for (size_t i = 0; i < 4; ++i) {
    const auto& edge = p[p.items(x)[i]];
    if (edge.kind == pickle_kind::integer)
      box.edges[i] = edge.integer;
    else if (edge.kind == pickle_kind::real && edge.real == 0.0)
      ++zeros;
    else
      refuse("an edge of a box is not a whole number of 64 bits");
  }
  if (zeros != 0 && zeros != 4)
    refuse("an edge of a box is not a whole number of 64 bits");
  box.placeholder = zeros == 4;
  return box;
}

/// Runs `read`, with what it throws about weights turned into what it means for an avatar.
template <class Read>
auto as_avatar_file(const std::filesystem::path& file, Read read) {
  try {
    return read();
  } catch (const error& e) {
    auto name = file.filename().string();
    auto detail = e.detail().starts_with(name) ? e.detail() : name + ": " + e.detail();
    throw error{errc::avatar_damaged, std::move(detail), file.string()};
  }
}

} // namespace

std::vector<listed_box> read_box_list(const std::filesystem::path& file) {
  return as_avatar_file(file, [&] {
    auto mapped = mapped_file{file};
    auto p = read_pickle(mapped.bytes());
    const auto& root = p[p.root];
    if (p.bytes_read != mapped.bytes().size())
      refuse("bytes follow the end of its pickle");
    if (root.kind != pickle_kind::list || p.items(root).size() > max_boxes)
      refuse("not a list of boxes");
    auto boxes = std::vector<listed_box>{};
    for (auto id : p.items(root))
      boxes.push_back(to_box(p, p[id]));
    return boxes;
  });
}

listed_latents read_latent_list(const std::filesystem::path& file) {
  return as_avatar_file(file, [&] {
    auto source = checkpoint::open(file);
    auto result = listed_latents{};
    for (const auto& x : source.tensors()) {
      if (x.type != element::float16 || !std::ranges::equal(x.shape, latent_shape))
        refuse("entry " + x.name + " is " + std::string{to_string(x.type)} + " " +
               to_string(x.shape) + " instead of float16 [1, 8, 32, 32]");
      auto bytes = source.read(x);
      auto item = latent{std::vector<uint16_t>(latent_values)};
      std::memcpy(item.half_bits.data(), bytes.data(), bytes.size());
      result.items.push_back(std::move(item));
    }
    if (!source.tensors().empty())
      result.location = source.location(source.tensors().front());
    return result;
  });
}

} // namespace musetalk::models
