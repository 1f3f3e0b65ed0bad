#include "pipeline/background_blur.hpp"

#include "pipeline/opencv.hpp"
#include "pipeline/person_segmenter.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace musetalk::pipeline {

namespace {

constexpr int32_t edge_side = 640;       // longer side of the picture that edges are fitted on
constexpr int32_t background_side = 192; // longer side of the picture that is blurred
constexpr int32_t fit_radius = 5;        // of the fit, pixels of the network's mask
constexpr double fit_softness = 1e-3;    // variance of gray (0..1) that counts as an edge
constexpr float surely_background = 0.25f;
constexpr float surely_person = 0.75f;
constexpr double least_weight = 0.02; // of background in the blur, against a division by nothing

cv::Size scaled_to(cv::Size size, int32_t longer_side) {
  auto factor = std::min(1., static_cast<double>(longer_side) / std::max(size.width, size.height));
  auto side = [&](int32_t x) {
    return std::max(1, static_cast<int32_t>(std::lround(x * factor)));
  };
  return {side(size.width), side(size.height)};
}

cv::Mat resized(const cv::Mat& x, cv::Size size, int how) {
  auto result = cv::Mat{};
  cv::resize(x, result, size, 0, 0, how);
  return result;
}

cv::Mat box_mean(const cv::Mat& x) {
  auto result = cv::Mat{};
  cv::blur(x, result, {2 * fit_radius + 1, 2 * fit_radius + 1}, {-1, -1}, cv::BORDER_REFLECT);
  return result;
}

// Fits a small mask to the edges of the picture: everywhere it is a straight line of the gray value
// around it, with lines found on the small picture and drawn on the large one.
// Source: He and Sun, Fast Guided Filter (arXiv 1505.00996).
cv::Mat fit_to_edges(const cv::Mat& mask, const cv::Mat& picture) {
  auto gray = cv::Mat{};
  cv::cvtColor(resized(picture, scaled_to(picture.size(), edge_side), cv::INTER_AREA), gray,
               cv::COLOR_BGR2GRAY);
  auto guide = cv::Mat{};
  gray.convertTo(guide, CV_32F, 1. / 255.);
  auto small = resized(guide, mask.size(), cv::INTER_AREA);
  auto mean_guide = box_mean(small);
  auto mean_mask = box_mean(mask);
  auto covariance = cv::Mat{box_mean(small.mul(mask)) - mean_guide.mul(mean_mask)};
  auto variance = cv::Mat{box_mean(small.mul(small)) - mean_guide.mul(mean_guide)};
  auto slope = cv::Mat{covariance / (variance + fit_softness)};
  auto offset = cv::Mat{mean_mask - slope.mul(mean_guide)};
  slope = resized(box_mean(slope), gray.size(), cv::INTER_LINEAR);
  offset = resized(box_mean(offset), gray.size(), cv::INTER_LINEAR);
  return slope.mul(guide) + offset;
}

// 255 where surely a person is, 0 where surely none is, smooth between.
cv::Mat to_opacity(const cv::Mat& likely) {
  auto result = cv::Mat(likely.size(), CV_8U);
  for (auto y = 0; y < likely.rows; ++y) {
    auto from = likely.ptr<float>(y);
    auto to = result.ptr<uint8_t>(y);
    for (auto x = 0; x < likely.cols; ++x) {
      auto t = (from[x] - surely_background) / (surely_person - surely_background);
      t = std::clamp(t, 0.f, 1.f);
      to[x] = static_cast<uint8_t>(t * t * (3.f - 2.f * t) * 255.f + 0.5f);
    }
  }
  return result;
}

// The blurred background at a small size. People do not count in it, so their colours do not leak
// over their outlines.
cv::Mat blurred_background(const cv::Mat& picture, const cv::Mat& opacity, double sigma_share) {
  auto size = scaled_to(picture.size(), background_side);
  auto weight = cv::Mat{};
  resized(opacity, size, cv::INTER_AREA).convertTo(weight, CV_32F, -1. / 255., 1. + least_weight);
  auto colours = cv::Mat{};
  resized(picture, size, cv::INTER_AREA).convertTo(colours, CV_32F);
  auto weights = cv::Mat{};
  cv::merge(std::vector{weight, weight, weight}, weights);
  auto sigma = std::max(0.5, sigma_share * std::max(size.width, size.height));
  cv::GaussianBlur(colours.mul(weights), colours, {}, sigma);
  cv::GaussianBlur(weights, weights, {}, sigma);
  auto result = cv::Mat{};
  cv::Mat{colours / weights}.convertTo(result, CV_8U);
  return result;
}

// Opacity 255 gives the picture's own bytes.
uint8_t mix(uint8_t front, uint8_t back, uint8_t opacity) {
  auto t = static_cast<uint16_t>(front * opacity + back * (255 - opacity) + 128);
  return static_cast<uint8_t>((t + (t >> 8)) >> 8);
}

image composite(const cv::Mat& picture, const cv::Mat& background, const cv::Mat& opacity) {
  auto bytes = static_cast<size_t>(picture.cols) * 3;
  auto pixels = std::vector<uint8_t>(bytes * picture.rows);
  cv::parallel_for_({0, picture.rows}, [&](const cv::Range& rows) {
    auto shares = std::vector<uint8_t>(bytes);
    for (auto y = rows.start; y < rows.end; ++y) {
      auto share = opacity.ptr<uint8_t>(y);
      for (auto x = 0; x < picture.cols; ++x)
        shares[3 * x] = shares[3 * x + 1] = shares[3 * x + 2] = share[x];
      auto front = picture.ptr<uint8_t>(y);
      auto back = background.ptr<uint8_t>(y);
      auto to = pixels.data() + y * bytes;
      for (auto i = size_t{0}; i < bytes; ++i)
        to[i] = mix(front[i], back[i], shares[i]);
    }
  });
  return {picture.cols, picture.rows, 3, share(std::move(pixels))};
}

} // namespace

struct background_blur::impl {
  impl(const std::filesystem::path& models_dir, const blur_config& settings)
      : config(settings), general(models_dir, segmenter_shape::general),
        landscape(models_dir, segmenter_shape::landscape) {
    // nop
  }

  // Where the network is sure, its newest word counts; where it is not, the frames before count as
  // well, for there the mask flickers.
  cv::Mat smoothed(person_mask next) {
    auto newest = cv::Mat{next.height, next.width, CV_32F, next.values.data()}.clone();
    if (previous.size() == newest.size())
      for (auto y = 0; y < newest.rows; ++y) {
        auto now = newest.ptr<float>(y);
        auto before = previous.ptr<float>(y);
        for (auto x = 0; x < newest.cols; ++x) {
          auto sure = 2.f * now[x] - 1.f;
          auto doubt = 1.f - sure * sure;
          now[x] += (before[x] - now[x]) * doubt * static_cast<float>(1. - config.smoothing);
        }
      }
    previous = newest;
    return newest;
  }

  blur_config config;
  person_segmenter general;
  person_segmenter landscape;
  cv::Mat previous; // mask of the frame before, [height, width] of the network
};

background_blur::background_blur(const std::filesystem::path& models_dir, const blur_config& config)
    : impl_(std::make_unique<impl>(models_dir, config)) {
  // nop
}

background_blur::background_blur(background_blur&&) noexcept = default;
background_blur& background_blur::operator=(background_blur&&) noexcept = default;
background_blur::~background_blur() = default;

image background_blur::apply(const image& picture) {
  auto source = borrow(picture);
  auto& network = picture.width > picture.height ? impl_->landscape : impl_->general;
  auto mask = impl_->smoothed(network.segment(picture));
  auto opacity = to_opacity(fit_to_edges(mask, source));
  auto background = blurred_background(source, opacity, impl_->config.sigma_share);
  return composite(source, resized(background, source.size(), cv::INTER_LINEAR),
                   resized(opacity, source.size(), cv::INTER_LINEAR));
}

} // namespace musetalk::pipeline
