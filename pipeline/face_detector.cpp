#include "pipeline/face_detector.hpp"

#include "errors/error.hpp"
#include "pipeline/face_network.hpp"

#include <algorithm>
#include <numeric>

namespace musetalk::pipeline {

namespace {

constexpr size_t values_per_box = 16; // centre, size, six keypoints
constexpr size_t most_detections = 64;
constexpr double overlap_limit = 0.3;

struct anchor_grid {
  int32_t cells;
  int32_t per_cell;
};

struct detector_kind {
  const char* name;
  int32_t side;
  double min_score;
  std::vector<anchor_grid> grids;
};

detector_kind kind_of(detector_range range) {
  if (range == detector_range::near)
    return {"face_detection_short_range", 128, 0.5, {{16, 2}, {8, 6}}};
  return {"face_detection_full_range", 192, 0.6, {{48, 1}}};
}

struct anchor {
  double x;
  double y;
};

// Row by row, all anchors of a cell together. Their size is 1.
std::vector<anchor> make_anchors(const std::vector<anchor_grid>& grids) {
  auto result = std::vector<anchor>{};
  for (auto grid : grids)
    for (auto y = 0; y < grid.cells; ++y)
      for (auto x = 0; x < grid.cells; ++x)
        for (auto k = 0; k < grid.per_cell; ++k)
          result.push_back({(x + 0.5) / grid.cells, (y + 0.5) / grid.cells});
  return result;
}

// Left, top, right, bottom, then the keypoints' x and y; in pixels of the picture.
struct candidate {
  double score;
  std::array<double, values_per_box> values;

  double area() const { return (values[2] - values[0]) * (values[3] - values[1]); }
};

double overlap(const candidate& a, const candidate& b) {
  auto width = std::min(a.values[2], b.values[2]) - std::max(a.values[0], b.values[0]);
  auto height = std::min(a.values[3], b.values[3]) - std::max(a.values[1], b.values[1]);
  auto common = std::max(0., width) * std::max(0., height);
  return common / (a.area() + b.area() - common);
}

// All that overlap the best one are averaged with it by their scores; its score stays.
std::vector<candidate> weighted_suppression(std::vector<candidate> all) {
  std::ranges::stable_sort(all, std::greater{}, &candidate::score);
  auto result = std::vector<candidate>{};
  while (!all.empty() && result.size() < most_detections) {
    auto best = all.front();
    auto near_best = [&](const candidate& x) {
      return overlap(best, x) > overlap_limit;
    };
    // The best one belongs to its own group even when its box has no area.
    auto rest = std::stable_partition(all.begin() + 1, all.end(), near_best);
    auto merged = candidate{best.score, {}};
    auto weight = 0.;
    for (auto i = all.begin(); i != rest; ++i) {
      weight += i->score;
      for (auto k = size_t{0}; k < values_per_box; ++k)
        merged.values[k] += i->score * i->values[k];
    }
    for (auto& x : merged.values)
      x /= weight;
    result.push_back(merged);
    all.erase(all.begin(), rest);
  }
  return result;
}

detection to_detection(const candidate& x) {
  auto at = [&](size_t k) {
    return static_cast<float>(x.values[k]);
  };
  auto result = detection{static_cast<float>(x.score), at(0), at(1), at(2), at(3), {}};
  for (auto k = size_t{0}; k < result.keypoints.size(); ++k)
    result.keypoints[k] = {at(4 + 2 * k), at(5 + 2 * k)};
  return result;
}

} // namespace

struct face_detector::impl {
  impl(const std::filesystem::path& models_dir, detector_kind kind)
      : min_score(kind.min_score), anchors(make_anchors(kind.grids)),
        network(models_dir, kind.name, kind.side, kind.side, -1.f, {"o0", "o1"}) {
    auto& outputs = network.run({1, 1, 3, share({0, 0, 0})}, {0., 0., 1., 1., 0.}, outside::black);
    if (outputs[0].total() != anchors.size() * values_per_box ||
        outputs[1].total() != anchors.size())
      throw error{errc::models_invalid,
                  std::string{"The face network "} + kind.name + ".onnx has other outputs."};
  }

  double min_score;
  std::vector<anchor> anchors;
  face_network network;
};

face_detector::face_detector(const std::filesystem::path& models_dir, detector_range range)
    : impl_(std::make_unique<impl>(models_dir, kind_of(range))) {
  // nop
}

face_detector::face_detector(face_detector&&) noexcept = default;
face_detector& face_detector::operator=(face_detector&&) noexcept = default;
face_detector::~face_detector() = default;

std::vector<detection> face_detector::detect(const image& picture) {
  // The network sees the centred square that holds the whole picture, black around it.
  auto side = static_cast<double>(std::max(picture.width, picture.height));
  auto pad_x = (side - picture.width) / 2;
  auto pad_y = (side - picture.height) / 2;
  auto& outputs = impl_->network.run(
      picture, {picture.width / 2., picture.height / 2., side, side, 0.}, outside::black);
  auto boxes = outputs[0].ptr<float>();
  auto logits = outputs[1].ptr<float>();
  auto scale = 1. / impl_->network.width();
  auto candidates = std::vector<candidate>{};
  for (auto i = size_t{0}; i < impl_->anchors.size(); ++i) {
    auto score = sigmoid(logits[i]);
    // Written so that a score that is no number is left out.
    if (!(score >= impl_->min_score))
      continue;
    auto raw = boxes + i * values_per_box;
    auto [anchor_x, anchor_y] = impl_->anchors[i];
    auto to_x = [&](double x) {
      return (x * scale + anchor_x) * side - pad_x;
    };
    auto to_y = [&](double y) {
      return (y * scale + anchor_y) * side - pad_y;
    };
    auto found = candidate{score,
                           {to_x(raw[0] - raw[2] / 2.), to_y(raw[1] - raw[3] / 2.),
                            to_x(raw[0] + raw[2] / 2.), to_y(raw[1] + raw[3] / 2.)}};
    for (auto k = size_t{4}; k < values_per_box; k += 2) {
      found.values[k] = to_x(raw[k]);
      found.values[k + 1] = to_y(raw[k + 1]);
    }
    auto finite = [](double x) {
      return std::isfinite(x);
    };
    if (std::ranges::all_of(found.values, finite))
      candidates.push_back(found);
  }
  auto result = std::vector<detection>{};
  for (const auto& x : weighted_suppression(std::move(candidates)))
    result.push_back(to_detection(x));
  return result;
}

} // namespace musetalk::pipeline
