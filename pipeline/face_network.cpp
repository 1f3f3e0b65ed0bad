#include "pipeline/face_network.hpp"

#include "errors/error.hpp"
#include "pipeline/opencv.hpp"

#include <opencv2/imgproc.hpp>

namespace musetalk::pipeline {

namespace {

cv::dnn::Net load(const std::filesystem::path& models_dir, const std::string& name) {
  auto file = models_dir / (name + ".onnx");
  auto ignored = std::error_code{};
  if (!std::filesystem::is_regular_file(file, ignored))
    throw error{errc::models_missing, "The face network " + name + ".onnx is missing.",
                file.string()};
  try {
    auto net = cv::dnn::readNetFromONNX(file.string());
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    return net;
  } catch (const cv::Exception& e) {
    throw error{errc::models_invalid, "The face network " + name + ".onnx cannot be read.",
                e.what()};
  }
}

// From crop pixel (u, v) to picture pixel (x, y).
cv::Matx33d crop_to_picture(const turned_rect& part, int32_t width, int32_t height) {
  auto across = part.width / width;
  auto down = part.height / height;
  auto c = std::cos(part.angle);
  auto s = std::sin(part.angle);
  return {c * across, -s * down, part.centre_x - c * part.width / 2 + s * part.height / 2,
          s * across, c * down,  part.centre_y - s * part.width / 2 - c * part.height / 2,
          0,          0,         1};
}

} // namespace

face_network::face_network(const std::filesystem::path& models_dir, const std::string& name,
                           int32_t width, int32_t height, float low,
                           std::vector<std::string> outputs)
    : name_(name), net_(load(models_dir, name)), width_(width), height_(height), low_(low),
      output_names_(outputs.begin(), outputs.end()),
      input_(std::vector<int>{1, 3, height, width}, CV_32F) {
  // A first run proves the shapes and lets OpenCV allocate its buffers.
  auto black = image{1, 1, 3, share({0, 0, 0})};
  try {
    run(black, {0., 0., 1., 1., 0.}, outside::black);
  } catch (const error& e) {
    throw error{errc::models_invalid, "The face network " + name + ".onnx does not run.", e.what()};
  }
}

const std::vector<cv::Mat>& face_network::run(const image& picture, const turned_rect& part,
                                              outside border) {
  auto source = borrow(picture);
  if (picture.channels != 3)
    throw error{errc::internal, "A face network was given a gray picture."};
  try {
    auto crop = cv::Mat{};
    cv::warpPerspective(source, crop, crop_to_picture(part, width_, height_), {width_, height_},
                        cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                        border == outside::black ? cv::BORDER_CONSTANT : cv::BORDER_REPLICATE);
    // BGR bytes to RGB planes.
    auto scale = (1.f - low_) / 255.f;
    auto area = static_cast<size_t>(width_) * height_;
    auto red = input_.ptr<float>();
    auto green = red + area;
    auto blue = green + area;
    auto from = crop.ptr();
    for (auto i = size_t{0}; i < area; ++i) {
      blue[i] = from[3 * i] * scale + low_;
      green[i] = from[3 * i + 1] * scale + low_;
      red[i] = from[3 * i + 2] * scale + low_;
    }
    net_.setInput(input_);
    net_.forward(outputs_, output_names_);
    return outputs_;
  } catch (const cv::Exception& e) {
    throw error{errc::device_failed, "A face network failed on a frame.", name_ + ": " + e.what()};
  }
}

} // namespace musetalk::pipeline
