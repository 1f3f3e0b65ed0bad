#include "tests/bench/bench_clip.hpp"

#include "pipeline/clip_reader.hpp"
#include "pipeline/video_writer.hpp"

#include <opencv2/imgproc.hpp>

#include <vector>

namespace musetalk::bench {

using namespace pipeline;

namespace {

image enlarged(const image& picture) {
  auto bytes = std::vector<uint8_t>(size_t{1280} * 720 * 3);
  const auto from =
      cv::Mat(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.pixels->data()));
  auto to = cv::Mat(720, 1280, CV_8UC3, bytes.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_CUBIC);
  return {1280, 720, 3, share(std::move(bytes))};
}

} // namespace

void write_clip(const std::filesystem::path& sample, const std::filesystem::path& target,
                int32_t frames) {
  auto pictures = std::vector<image>{};
  auto reader = clip_reader{sample, {}};
  while (reader.advance())
    pictures.push_back(reader.picture());
  // Grain, so that the pictures cost what those of a camera do.
  auto grain = cv::Mat(720, 1280, CV_8UC3);
  cv::randn(grain, cv::Scalar::all(4), cv::Scalar::all(3));
  auto writer = video_writer{target,
                             make_geometry(1280, 720, 1, 1, 0),
                             nullptr,
                             {.kilobits_per_second = 6000, .max_seconds = 3600.}};
  const auto count = static_cast<int32_t>(pictures.size());
  for (auto i = 0; i < frames; ++i) {
    const auto at = i % (2 * count);
    auto picture = enlarged(pictures[static_cast<size_t>(at < count ? at : 2 * count - 1 - at)]);
    auto bytes = std::vector<uint8_t>(picture.pixels->size());
    const auto from = cv::Mat(720, 1280, CV_8UC3, const_cast<uint8_t*>(picture.pixels->data()));
    auto to = cv::Mat(720, 1280, CV_8UC3, bytes.data());
    cv::add(from, grain, to);
    picture.pixels = share(std::move(bytes));
    writer.write(picture);
  }
  writer.finish();
}

} // namespace musetalk::bench
