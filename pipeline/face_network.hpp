#pragma once

#include "pipeline/image.hpp"

#include <opencv2/dnn/dnn.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

// Only for .cpp files of this room.

namespace musetalk::pipeline {

/// A turned rectangle in pixels of a picture.
struct turned_rect {
  double centre_x = 0.;
  double centre_y = 0.;
  double width = 0.;
  double height = 0.;
  double angle = 0.; ///< Radians, clockwise on the screen.
};

/// What lies outside the picture.
enum class outside : uint8_t {
  black,
  replicated, ///< The nearest pixel of the picture.
};

/// One of MediaPipe's packaged networks: part of a picture in, tensors out.
class face_network {
public:
  /// Loads `<name>.onnx`. @throws error `models_missing`, `models_invalid`.
  /// @param width, height Of the network's input, pixels.
  /// @param low Value of black; white is 1.
  face_network(const std::filesystem::path& models_dir, const std::string& name, int32_t width,
               int32_t height, float low, std::vector<std::string> outputs);

  /// Cuts `part` out of the picture, edge to edge, by bilinear samples at the pixel indices
  /// themselves (no half-pixel shift, no prefilter), and runs the network.
  /// @returns The outputs; they belong to the network and last until its next run.
  /// @throws error `device_failed`.
  const std::vector<cv::Mat>& run(const image& picture, const turned_rect& part, outside border);

  int32_t width() const { return width_; }
  int32_t height() const { return height_; }

private:
  std::string name_;
  cv::dnn::Net net_;
  int32_t width_;
  int32_t height_;
  float low_;
  std::vector<cv::String> output_names_;
  cv::Mat input_; // [1, 3, height, width], RGB
  std::vector<cv::Mat> outputs_;
};

/// The logistic function, cut where float loses it.
inline double sigmoid(double x) {
  return 1. / (1. + std::exp(-std::min(100., std::max(-100., x))));
}

} // namespace musetalk::pipeline
