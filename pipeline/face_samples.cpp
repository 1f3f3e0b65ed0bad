#include "pipeline/face_samples.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

namespace musetalk::pipeline {

namespace {

constexpr size_t most_confirmed = 8; // faces that are worth a run of the mesh network
constexpr float comparable_side = 0.5f;
constexpr int32_t one_sample_in = 3;

float side(const detection& x) {
  return std::max(x.width(), x.height());
}

// How many faces are comparable to the largest one, itself among them.
int32_t comparable(const std::vector<detection>& faces) {
  if (faces.empty())
    return 0;
  auto largest = side(std::ranges::max(faces, {}, side));
  return static_cast<int32_t>(std::ranges::count_if(
      faces, [&](const detection& x) { return side(x) >= comparable_side * largest; }));
}

float median(std::vector<float> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

} // namespace

face_finder::face_finder(const std::filesystem::path& models_dir)
    : far_(models_dir, detector_range::far), near_(models_dir, detector_range::near),
      mesh_(models_dir) {
  // nop
}

std::vector<detection> face_finder::find(const image& picture) {
  auto confirmed = [&](std::vector<detection> found) {
    std::ranges::stable_sort(found, std::greater{}, side);
    if (found.size() > most_confirmed)
      found.resize(most_confirmed);
    std::erase_if(found, [&](const detection& x) {
      return !mesh_.locate(picture, rect_from_detection(x)).present();
    });
    return found;
  };
  auto result = confirmed(far_.detect(picture));
  return result.empty() ? confirmed(near_.detect(picture)) : result;
}

sample_report judge_samples(std::span<const std::vector<detection>> samples,
                            int32_t min_face_pixels) {
  auto result = sample_report{};
  auto widths = std::vector<float>{};
  for (const auto& faces : samples) {
    ++result.samples;
    if (faces.empty())
      continue;
    ++result.samples_with_face;
    widths.push_back(std::ranges::max(faces, {}, side).width());
    auto count = comparable(faces);
    result.samples_with_more += count > 1;
    result.most_faces = std::max(result.most_faces, count);
  }
  if (result.samples_with_face == 0)
    return result;
  result.face_width = median(std::move(widths));
  if (result.samples_with_more * one_sample_in >= result.samples_with_face)
    result.verdict = sample_verdict::several_faces;
  else if (result.face_width < static_cast<float>(min_face_pixels))
    result.verdict = sample_verdict::too_small;
  else
    result.verdict = sample_verdict::one_face;
  return result;
}

void require_one_face(const sample_report& report, int32_t min_face_pixels) {
  auto samples = std::to_string(report.samples) + " sampled frames";
  switch (report.verdict) {
  case sample_verdict::one_face:
    return;
  case sample_verdict::no_face:
    throw error{errc::face_none, "No face in any of " + samples + "."};
  case sample_verdict::several_faces:
    throw error{errc::face_several, std::to_string(report.most_faces) +
                                        " faces of comparable size, in " +
                                        std::to_string(report.samples_with_more) + " of " +
                                        samples + "; exactly one is needed."};
  case sample_verdict::too_small:
    throw error{errc::face_too_small,
                "The face is " + std::to_string(std::lround(report.face_width)) +
                    " pixels wide; at least " + std::to_string(min_face_pixels) + " are needed."};
  }
  throw error{errc::internal, "A verdict on sampled frames is not of the list."};
}

} // namespace musetalk::pipeline
