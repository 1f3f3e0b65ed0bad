#include "pipeline/person_segmenter.hpp"

#include "errors/error.hpp"
#include "pipeline/face_network.hpp"

#include <algorithm>
#include <string>

namespace musetalk::pipeline {

namespace {

constexpr int32_t network_width = 256;

const char* name_of(segmenter_shape shape) {
  return shape == segmenter_shape::general ? "selfie_segmentation"
                                           : "selfie_segmentation_landscape";
}

int32_t height_of(segmenter_shape shape) {
  return shape == segmenter_shape::general ? 256 : 144;
}

} // namespace

struct person_segmenter::impl {
  impl(const std::filesystem::path& models_dir, segmenter_shape shape)
      : network(models_dir, name_of(shape), network_width, height_of(shape), 0.f, {"o0"}) {
    auto& outputs = network.run({1, 1, 3, share({0, 0, 0})}, {0., 0., 1., 1., 0.}, outside::black);
    if (outputs[0].total() != static_cast<size_t>(network.width()) * network.height())
      throw error{errc::models_invalid,
                  std::string{"The network "} + name_of(shape) + ".onnx has other outputs."};
  }

  face_network network;
};

person_segmenter::person_segmenter(const std::filesystem::path& models_dir, segmenter_shape shape)
    : impl_(std::make_unique<impl>(models_dir, shape)) {
  // nop
}

person_segmenter::person_segmenter(person_segmenter&&) noexcept = default;
person_segmenter& person_segmenter::operator=(person_segmenter&&) noexcept = default;
person_segmenter::~person_segmenter() = default;

person_mask person_segmenter::segment(const image& picture) {
  // The whole picture, stretched to the network; a small one has black beyond its last pixels.
  auto all = turned_rect{picture.width / 2., picture.height / 2., double(picture.width),
                         double(picture.height), 0.};
  auto& outputs = impl_->network.run(picture, all, outside::black);
  auto result = person_mask{impl_->network.width(), impl_->network.height(), {}};
  auto raw = outputs[0].ptr<float>();
  result.values.assign(raw, raw + outputs[0].total());
  for (auto& x : result.values)
    x = x > 0.f ? std::min(x, 1.f) : 0.f; // nothing that is no number gets through
  return result;
}

} // namespace musetalk::pipeline
