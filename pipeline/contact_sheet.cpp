#include "pipeline/contact_sheet.hpp"

#include "errors/error.hpp"
#include "pipeline/face_overlay.hpp"
#include "pipeline/media_info.hpp"
#include "pipeline/opencv.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace musetalk::pipeline {

namespace {

constexpr auto font = cv::FONT_HERSHEY_DUPLEX;
constexpr int32_t gap = 8;           // between tiles, pixels
constexpr int32_t margin = 16;       // around the sheet
constexpr int32_t band_height = 44;  // of the title and of the watermark
constexpr int32_t label_height = 24; // below each tile
constexpr double sheet_aspect = 1.9;
constexpr size_t most_kept = 2; // pictures kept over pictures shown
const auto background = cv::Scalar{28, 24, 22};
const auto text_colour = cv::Scalar{235, 235, 235};
const auto faint_colour = cv::Scalar{165, 160, 155};
const auto watermark_colour = cv::Scalar{40, 40, 200};

cv::Scalar bgr(const overlay_colours::colour& x) {
  return {double(x.blue), double(x.green), double(x.red)};
}

// Writes one line into `place`, as large as `height` says or as its width allows.
void write(cv::Mat& canvas, const std::string& text, cv::Rect place, int32_t height,
           const cv::Scalar& colour, bool centred = false) {
  auto base = 0;
  auto unit = cv::getTextSize(text, font, 1., 1, &base);
  if (unit.width == 0)
    return;
  auto scale = std::min(height / static_cast<double>(unit.height),
                        place.width / static_cast<double>(unit.width));
  auto size = cv::getTextSize(text, font, scale, 1, &base);
  auto x = centred ? place.x + (place.width - size.width) / 2 : place.x;
  cv::putText(canvas, text, {x, place.y + (place.height + size.height) / 2}, font, scale, colour, 1,
              cv::LINE_AA);
}

// Tiles side by side so that the sheet is about as wide as a screen, with few places left empty.
int32_t columns_for(int32_t count, cv::Size tile) {
  auto ideal = std::sqrt(count * sheet_aspect * (tile.height + label_height) / tile.width);
  auto cost = [&](int32_t columns) {
    auto rows = (count + columns - 1) / columns;
    return std::abs(columns - ideal) + rows * columns - count;
  };
  auto best = 1;
  for (auto columns = 2; columns <= count; ++columns)
    if (cost(columns) < cost(best))
      best = columns;
  return best;
}

// What the colours mean, at the right end of `line`.
void write_legend(cv::Mat& canvas, cv::Rect line) {
  constexpr auto width = 130;
  auto entries = {std::pair{"face box", overlay_colours::seen},
                  std::pair{"bridged", overlay_colours::held},
                  std::pair{"mask", overlay_colours::mask}};
  auto x = line.x + line.width - width * static_cast<int32_t>(entries.size());
  // A narrow sheet keeps its title instead.
  if (x < line.x + line.width / 3)
    return;
  for (auto [text, colour] : entries) {
    auto swatch = cv::Rect{x, line.y + line.height / 2 - 6, 18, 12};
    cv::rectangle(canvas, swatch, bgr(colour), cv::FILLED);
    write(canvas, text, {x + 26, line.y, width - 30, line.height}, 11, faint_colour);
    x += width;
  }
}

void write_title(cv::Mat& canvas, cv::Rect line, const std::string& title) {
  write(canvas, title, line, 18, text_colour);
  write_legend(canvas, line);
}

cv::Rect title_line(const cv::Mat& canvas) {
  return {margin, margin, canvas.cols - 2 * margin, band_height - gap};
}

std::string label_of(int64_t position) {
  char text[64];
  std::snprintf(text, sizeof text, "frame %lld   %.2f s", static_cast<long long>(position),
                static_cast<double>(position) / avatar_frames_per_second);
  return text;
}

} // namespace

contact_sheet::contact_sheet(sheet_config config) : config_(std::move(config)) {
  config_.tiles = std::clamp(config_.tiles, 1, 64);
  config_.tile_side = std::clamp(config_.tile_side, 160, 1024);
}

void contact_sheet::add(const prepared_frame& next) {
  auto position = count_++;
  if (position % stride_ != 0)
    return;
  drawn_.emplace(position, tile{draw_overlay(next, config_.tile_side), next.held});
  if (drawn_.size() <= most_kept * static_cast<size_t>(config_.tiles))
    return;
  // Too many: keep every second one, and draw half as often from now on.
  stride_ *= 2;
  std::erase_if(drawn_, [&](const auto& x) { return x.first % stride_ != 0; });
}

image contact_sheet::draw() const {
  if (drawn_.empty())
    throw error{errc::internal, "A contact sheet without frames."};
  // Evenly chosen among those that were kept.
  auto positions = std::vector<int64_t>{};
  for (const auto& x : drawn_)
    positions.push_back(x.first);
  auto count = std::min(positions.size(), static_cast<size_t>(config_.tiles));
  auto first = borrow(drawn_.begin()->second.picture);
  auto columns = columns_for(static_cast<int32_t>(count), first.size());
  auto rows = (static_cast<int32_t>(count) + columns - 1) / columns;
  auto cell = cv::Size{first.cols + gap, first.rows + label_height + gap};
  auto title_height = config_.title.empty() ? 0 : band_height;
  auto watermark_height = config_.watermark.empty() ? 0 : band_height;
  auto top = margin + title_height + watermark_height;
  auto canvas = cv::Mat{top + rows * cell.height - gap + margin,
                        2 * margin + columns * cell.width - gap, CV_8UC3, background};
  auto line = title_line(canvas);
  if (title_height > 0)
    write_title(canvas, line, config_.title);
  if (watermark_height > 0) {
    line.y += title_height;
    cv::rectangle(canvas, line, watermark_colour, cv::FILLED);
    write(canvas, config_.watermark, line, 16, cv::Scalar::all(255), true);
  }
  for (auto i = size_t{0}; i < count; ++i) {
    auto position = positions[count > 1 ? i * (positions.size() - 1) / (count - 1) : 0];
    const auto& shown = drawn_.at(position);
    auto picture = borrow(shown.picture);
    auto column = static_cast<int32_t>(i) % columns;
    auto row = static_cast<int32_t>(i) / columns;
    auto place = cv::Rect{margin + column * cell.width, top + row * cell.height,
                          std::min(picture.cols, first.cols), std::min(picture.rows, first.rows)};
    picture({0, 0, place.width, place.height}).copyTo(canvas(place));
    auto label = cv::Rect{place.x + 2, place.y + first.rows, first.cols - 4, label_height};
    write(canvas, label_of(position) + (shown.held ? "   bridged" : ""), label, 10,
          shown.held ? bgr(overlay_colours::held) : faint_colour);
  }
  return to_image(canvas);
}

image with_title(const image& sheet, const std::string& title) {
  auto canvas = borrow(sheet).clone();
  if (canvas.rows <= margin + band_height || canvas.cols <= 2 * margin)
    throw error{errc::avatar_damaged, "The contact sheet has no room for a title."};
  auto line = title_line(canvas);
  // The band, up to the tiles: strokes may reach beyond the line.
  canvas({0, 0, canvas.cols, margin + band_height - gap / 2}).setTo(background);
  write_title(canvas, line, title);
  return to_image(canvas);
}

} // namespace musetalk::pipeline
