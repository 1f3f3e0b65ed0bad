#include "pipeline/avatar_cycle.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/avatar_lists.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/picture_list.hpp"

#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

// Far beyond any frame, and small enough that sums of edges cannot overflow.
constexpr int64_t farthest_edge = 1 << 20;
constexpr int64_t max_pixels = int64_t{1} << 26;

[[noreturn]] void damaged(const std::string& detail, const std::string& cause = {}) {
  throw error(errc::avatar_damaged, detail, cause);
}

box to_box(const models::listed_box& x) {
  for (const auto edge : x.edges)
    if (edge < -farthest_edge || edge > farthest_edge)
      damaged("A box lies " + std::to_string(edge) + " pixels away.");
  const auto at = [&](size_t i) {
    return static_cast<int32_t>(x.edges[i]);
  };
  return {at(0), at(1), at(2), at(3)};
}

image read_picture(const fs::path& file, int channels) {
  const auto mode = channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE;
  auto result = cv::Mat{};
  try {
    result = cv::imread(file.string(), mode | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& x) {
    damaged("The picture " + file.filename().string() + " cannot be read.", x.what());
  }
  if (result.empty() || result.total() > static_cast<size_t>(max_pixels))
    damaged("The picture " + file.filename().string() + " cannot be read.", file.string());
  return to_image(result);
}

bool alike(const fs::path& a, const fs::path& b) {
  auto reason = std::error_code{};
  return fs::equivalent(a, b, reason) ||
         (fs::file_size(a, reason) == fs::file_size(b, reason) && !reason);
}

} // namespace

avatar_cycle::avatar_cycle(const fs::path& folder, uint64_t cache_bytes) : cache_(cache_bytes) {
  auto reason = std::error_code{};
  const auto real = fs::canonical(folder, reason);
  if (reason)
    throw error(errc::avatar_not_found, "There is no avatar of that id.", folder.string());
  read_lists(real);
  fold();
  const auto first = read_picture(entries_.front().picture, 3);
  width_ = first.width;
  height_ = first.height;
}

void avatar_cycle::read_lists(const fs::path& folder) {
  const auto face_boxes = models::read_box_list(folder / "coords.pkl");
  const auto mask_boxes = models::read_box_list(folder / "mask_coords.pkl");
  auto pictures = list_pictures(folder / "full_imgs");
  auto masks = list_pictures(folder / "mask");
  auto latents = models::read_latent_list(folder / "latents.pt").items;
  const auto count = face_boxes.size();
  const auto faces = static_cast<size_t>(std::count_if(
      face_boxes.begin(), face_boxes.end(), [](const auto& x) { return !x.placeholder; }));
  if (count == 0 || mask_boxes.size() != count || pictures.size() != count ||
      masks.size() != count || latents.size() != faces)
    damaged("The avatar has " + std::to_string(pictures.size()) + " frames, " +
            std::to_string(masks.size()) + " masks, " + std::to_string(count) + " boxes, " +
            std::to_string(mask_boxes.size()) + " mask boxes and " +
            std::to_string(latents.size()) + " latents.");
  auto next = latents.begin(); // upstream leaves out those of frames without a face
  for (auto i = size_t{0}; i < count; ++i) {
    auto& x = entries_.emplace_back();
    x.picture = std::move(pictures[i]);
    x.mask = std::move(masks[i]);
    x.face = !face_boxes[i].placeholder;
    if (!x.face)
      continue;
    x.face_box = to_box(face_boxes[i]);
    x.mask_box = to_box(mask_boxes[i]);
    if (x.face_box.width() < 1 || x.face_box.height() < 1)
      damaged("Box " + std::to_string(i) + " is empty.");
    x.code = {std::make_shared<const std::vector<uint16_t>>(std::move((next++)->half_bits))};
  }
}

// The second half of a palindrome is the first once more: one entry, one place in the cache.
void avatar_cycle::fold() {
  const auto count = entries_.size();
  const auto half = count / 2;
  auto palindrome = count % 2 == 0;
  for (auto i = size_t{0}; palindrome && i < half; ++i) {
    const auto& a = entries_[i];
    const auto& b = entries_[count - 1 - i];
    palindrome = a.face_box == b.face_box && a.mask_box == b.mask_box && a.face == b.face &&
                 alike(a.picture, b.picture);
  }
  if (palindrome)
    entries_.resize(half);
}

cycle_frame avatar_cycle::frame_at(int64_t number) {
  const auto& x = entry(number);
  const auto at = static_cast<size_t>(number);
  auto result = cycle_frame{picture_of(at), x.face, x.face_box, {}};
  if (x.face)
    result.area = area_of(at);
  return result;
}

image avatar_cycle::picture_of(size_t number) {
  if (auto kept = cache_.find(number * 2))
    return std::move(*kept);
  auto result = read_picture(entries_[number].picture, 3);
  if (result.width != width_ || result.height != height_)
    damaged("Frame " + std::to_string(number) + " differs in size from the first.");
  cache_.put(number * 2, result);
  return result;
}

// Kept is only the part of the mask that can change anything.
blend_area avatar_cycle::area_of(size_t number) {
  auto& x = entries_[number];
  if (x.changed && x.changed->width() < 1)
    return {};
  if (auto kept = x.changed ? cache_.find(number * 2 + 1) : std::nullopt)
    return {*x.changed, std::move(*kept)};
  auto result = find_blend_area(read_picture(x.mask, 1), x.mask_box, x.face_box, width_, height_);
  x.changed = result.place;
  if (result.mask.pixels)
    cache_.put(number * 2 + 1, result.mask);
  return result;
}

int64_t frame_of_step(int64_t step, int64_t start, int64_t frames, sync_mode mode) noexcept {
  const auto at = start + step;
  if (mode == sync_mode::cut_off)
    return std::min(at, frames);
  if (mode == sync_mode::loop)
    return at % frames;
  const auto within = at % (2 * frames);
  return within < frames ? within : 2 * frames - 1 - within;
}

} // namespace musetalk::pipeline
