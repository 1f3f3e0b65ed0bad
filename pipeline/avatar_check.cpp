#include "pipeline/avatar_check.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/avatar_lists.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "pipeline/picture_list.hpp"
#include "pipeline/stop.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

using models::listed_box;

const auto latent_shape = std::vector<int64_t>{1, 8, 32, 32};

[[noreturn]] void damaged(const std::string& detail, const std::string& cause = {}) {
  throw error(errc::avatar_damaged, detail, cause);
}

/// What a reader says about weights means that the avatar is damaged.
template <class Read>
auto as_damage(const fs::path& folder, Read&& read) {
  try {
    return read();
  } catch (const error& problem) {
    if (problem.code() == errc::avatar_damaged || problem.code() == errc::cancelled)
      throw;
    damaged(problem.detail(), folder.string() + ": " + problem.what());
  }
}

/// @throws error `avatar_damaged` unless the list has `count` entries.
void require_count(const std::string& what, size_t found, int64_t count) {
  if (found != static_cast<size_t>(count))
    damaged(what + " has " + std::to_string(found) + " entries instead of " +
            std::to_string(count) + ".");
}

bool is_palindrome(const std::vector<listed_box>& boxes) {
  auto same = [](const listed_box& a, const listed_box& b) {
    return a.edges == b.edges && a.placeholder == b.placeholder;
  };
  return boxes.size() % 2 == 0 &&
         std::equal(boxes.begin(), boxes.begin() + static_cast<ptrdiff_t>(boxes.size() / 2),
                    boxes.rbegin(), same);
}

/// @throws error `avatar_damaged` unless it is a list of fp16 tensors of a latent's shape.
models::checkpoint open_latents(const fs::path& folder) {
  auto latents = models::checkpoint::open(folder / "latents.pt");
  for (const auto& x : latents.tensors())
    if (x.type != models::element::float16 || x.shape != latent_shape)
      damaged("latents.pt: entry " + x.name + " is " + std::string{models::to_string(x.type)} +
              " " + models::to_string(x.shape) + " instead of float16 [1, 8, 32, 32].");
  return latents;
}

void check_latents(const fs::path& folder, int64_t frames) {
  auto latents = open_latents(folder);
  const auto& all = latents.tensors();
  require_count("latents.pt", all.size(), frames * 2);
  for (auto i = size_t{0}; i < static_cast<size_t>(frames); ++i) {
    if (latents.location(all[i]) != "cuda:0")
      damaged("latents.pt: entry " + all[i].name + " is not tagged cuda:0.");
    if (all[all.size() - 1 - i].storage != all[i].storage)
      damaged("latents.pt is no palindrome at entry " + all[i].name + ".");
    auto values = latents.read(all[i]);
    for (auto byte = size_t{1}; byte < values.size(); byte += 2)
      if ((std::to_integer<int>(values[byte]) & 0x7c) == 0x7c)
        damaged("latents.pt: entry " + all[i].name + " is not finite.");
    latents.release(all[i]);
  }
}

std::vector<listed_box> read_boxes(const fs::path& folder, const std::string& name) {
  auto boxes = models::read_box_list(folder / name);
  for (auto i = size_t{0}; i < boxes.size(); ++i)
    if (const auto& e = boxes[i].edges; !boxes[i].placeholder && (e[0] >= e[2] || e[1] >= e[3]))
      damaged(name + ": box " + std::to_string(i) + " is empty.");
  return boxes;
}

void check_inside(const std::string& name, const std::vector<listed_box>& boxes,
                  const png_head& frame) {
  for (auto i = size_t{0}; i < boxes.size(); ++i)
    if (const auto& e = boxes[i].edges;
        boxes[i].placeholder || e[0] < 0 || e[1] < 0 || e[2] > frame.width || e[3] > frame.height)
      damaged(name + ": box " + std::to_string(i) + " leaves the frame of " +
              std::to_string(frame.width) + " x " + std::to_string(frame.height) + " pixels.");
}

/// The second name of a frame is the same file, or, without hard links, a copy of its length.
void check_mirror(const fs::path& first, const fs::path& second) {
  struct stat a {};
  struct stat b {};
  if (::lstat(first.c_str(), &a) != 0 || ::lstat(second.c_str(), &b) != 0)
    damaged("A frame is missing.", first.string());
  auto same_file = a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_nlink >= 2;
  auto copy = a.st_ino != b.st_ino && a.st_nlink == 1 && a.st_size == b.st_size;
  if (!same_file && !copy)
    damaged("The frames are no palindrome.", first.string() + " " + second.string());
}

} // namespace

folder_facts check_written_folder(const fs::path& folder, int64_t frames,
                                  const std::stop_token& stop) {
  return as_damage(folder, [&] {
    auto coords = read_boxes(folder, "coords.pkl");
    auto mask_coords = read_boxes(folder, "mask_coords.pkl");
    auto pictures = list_pictures(folder / "full_imgs");
    auto masks = list_pictures(folder / "mask");
    require_count("coords.pkl", coords.size(), frames * 2);
    require_count("mask_coords.pkl", mask_coords.size(), frames * 2);
    require_count("full_imgs", pictures.size(), frames * 2);
    require_count("mask", masks.size(), frames * 2);
    if (frames == 0 || !is_palindrome(coords) || !is_palindrome(mask_coords))
      damaged("The boxes are no palindrome.");
    auto size = read_png_head(pictures.front());
    for (auto i = size_t{0}; i < static_cast<size_t>(frames); ++i) {
      check_stop(stop);
      auto number = std::to_string(i);
      auto picture = read_png_head(pictures[i]);
      if (picture.bits != 8 || picture.colour != 2)
        damaged("full_imgs: picture " + number + " is not of 8-bit colour.");
      if (picture.width != size.width || picture.height != size.height)
        damaged("full_imgs: picture " + number + " differs in size from the first.");
      auto mask = read_png_head(masks[i]);
      const auto& e = mask_coords[i].edges;
      if (mask.bits != 8 || mask.colour != 0)
        damaged("mask: picture " + number + " is not of 8-bit gray.");
      if (mask.width != e[2] - e[0] || mask.height != e[3] - e[1])
        damaged("mask: picture " + number + " is not of the size of its box.");
      check_mirror(pictures[i], pictures[pictures.size() - 1 - i]);
      check_mirror(masks[i], masks[masks.size() - 1 - i]);
    }
    check_inside("coords.pkl", coords, size);
    check_inside("mask_coords.pkl", mask_coords, size);
    check_latents(folder, frames);
    return folder_facts{frames * 2, frames, size.width, size.height};
  });
}

folder_facts inspect_plain_folder(const fs::path& folder) {
  return as_damage(folder, [&] {
    auto coords = read_boxes(folder, "coords.pkl");
    auto entries = static_cast<int64_t>(coords.size());
    require_count("mask_coords.pkl", read_boxes(folder, "mask_coords.pkl").size(), entries);
    auto pictures = list_pictures(folder / "full_imgs");
    require_count("full_imgs", pictures.size(), entries);
    require_count("mask", list_pictures(folder / "mask").size(), entries);
    auto latents = open_latents(folder).tensors().size();
    if (entries == 0 || latents == 0)
      damaged("It has no frames.");
    auto without_face = std::count_if(coords.begin(), coords.end(),
                                      [](const listed_box& x) { return x.placeholder; });
    require_count("latents.pt", latents, entries - without_face);
    auto facts = folder_facts{entries, is_palindrome(coords) ? entries / 2 : entries, 0, 0};
    if (pictures.front().extension() == ".png") {
      auto head = read_png_head(pictures.front());
      facts.width = head.width;
      facts.height = head.height;
    }
    return facts;
  });
}

} // namespace musetalk::pipeline
