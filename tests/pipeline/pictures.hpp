#pragma once

#include "pipeline/opencv.hpp"
#include "pipeline/prepared.hpp"

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace musetalk::pipeline {

/// A file below `tests/golden/`.
inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path{MUSETALK_SOURCE_DIR} / "tests/golden" / name;
}

/// The packaged face networks.
inline std::filesystem::path face_models() {
  return std::filesystem::path{MUSETALK_SOURCE_DIR} / ".deps/models/face";
}

/// A PNG as it is: gray or BGR.
inline image load_picture(const std::filesystem::path& file) {
  auto pixels = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
  if (pixels.empty())
    throw std::runtime_error{"no picture at " + file.string()};
  return to_image(pixels);
}

inline nlohmann::json load_json(const std::filesystem::path& file) {
  auto in = std::ifstream{file};
  return nlohmann::json::parse(in);
}

/// One colour everywhere.
inline image plain(int32_t width, int32_t height, uint8_t value, int32_t channels = 3) {
  return {width, height, channels,
          share(std::vector<uint8_t>(static_cast<size_t>(width) * height * channels, value))};
}

/// `small` put onto a black picture with its corner at (x, y); may reach over the edges.
inline image on_black(const image& small, int32_t width, int32_t height, int32_t x, int32_t y) {
  auto canvas = cv::Mat{height, width, CV_8UC3, cv::Scalar::all(0)};
  auto visible = cv::Rect{x, y, small.width, small.height} & cv::Rect{0, 0, width, height};
  borrow(small)(visible - cv::Point{x, y}).copyTo(canvas(visible));
  return to_image(canvas);
}

/// The largest difference of two pictures of one size; 256 when their sizes differ.
inline int32_t largest_difference(const image& a, const image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels)
    return 256;
  auto result = 0;
  for (auto i = size_t{0}; i < a.pixels->size(); ++i)
    result = std::max(result, std::abs((*a.pixels)[i] - (*b.pixels)[i]));
  return result;
}

/// A face drawn by hand: jaw from (left, top) to (right, top), chin at the bottom, nose bridge at
/// `bridge`.
inline face plain_face(float left, float right, float bridge, float chin) {
  auto result = face{};
  auto middle = (left + right) / 2;
  result.landmarks.fill({middle, bridge});
  result.landmarks[0] = {left, bridge - 5.f};
  result.landmarks[16] = {right, bridge - 5.f};
  result.landmarks[8] = {middle, chin};
  result.outline = {
      {middle, bridge - (chin - bridge)}, {right, bridge}, {middle, chin}, {left, bridge}};
  result.score = 0.9f;
  return result;
}

} // namespace musetalk::pipeline
