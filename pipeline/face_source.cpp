#include "pipeline/face_source.hpp"

#include "errors/error.hpp"
#include "pipeline/face_tracker.hpp"

#include <utility>

namespace musetalk::pipeline {

namespace {

constexpr size_t jaw_points = 17;
constexpr size_t first_brow_point = 17;
constexpr size_t last_brow_point = 26;

class tracked_faces final : public face_source {
public:
  explicit tracked_faces(const std::filesystem::path& models_dir) : tracker_(models_dir) {
    // nop
  }

  std::vector<std::optional<face>> find(std::span<const image> frames) override {
    auto result = std::vector<std::optional<face>>{};
    for (const auto& x : frames)
      result.push_back(tracker_.process(x));
    return result;
  }

private:
  face_tracker tracker_;
};

class asked_faces final : public face_source {
public:
  explicit asked_faces(face_analysis_ptr analysis) : analysis_(std::move(analysis)) {
    if (!analysis_)
      throw error{errc::internal, "The face backend dwpose has no device to ask."};
  }

  // A frame that only repeats the one before, as in clips of fewer frames than ours, is not asked
  // about again: this is the dearest step of preparation.
  std::vector<std::optional<face>> find(std::span<const image> frames) override {
    auto distinct = std::vector<image>{};
    auto place = std::vector<size_t>{};
    for (const auto& x : frames) {
      if (distinct.empty() || distinct.back().pixels != x.pixels)
        distinct.push_back(x);
      place.push_back(distinct.size() - 1);
    }
    auto found = ask(distinct);
    auto result = std::vector<std::optional<face>>{};
    for (auto i : place)
      result.push_back(found[i]);
    return result;
  }

private:
  std::vector<std::optional<face>> ask(std::span<const image> frames) {
    auto seen = analysis_->find_faces(frames);
    auto shown = std::vector<image>{};
    for (auto i = size_t{0}; i < frames.size(); ++i)
      if (!seen.at(i).empty())
        shown.push_back(frames[i]);
    auto points = std::vector<face_points>{};
    if (!shown.empty())
      points = analysis_->locate_points(shown);
    auto result = std::vector<std::optional<face>>(frames.size());
    auto next = size_t{0};
    for (auto i = size_t{0}; i < frames.size(); ++i)
      if (!seen[i].empty())
        result[i] = face_of(seen[i], points.at(next++));
    return result;
  }

  face_analysis_ptr analysis_;
};

} // namespace

std::unique_ptr<face_source> track_faces(const std::filesystem::path& models_dir) {
  return std::make_unique<tracked_faces>(models_dir);
}

std::unique_ptr<face_source> ask_for_faces(face_analysis_ptr analysis) {
  return std::make_unique<asked_faces>(std::move(analysis));
}

face face_of(const seen_faces& seen, const face_points& points) {
  auto result = face{};
  result.landmarks = points;
  result.score = seen.front().score;
  result.detected = seen.front().where;
  // Along the jaw, and back over the brows.
  for (auto i = size_t{0}; i < jaw_points; ++i)
    result.outline.push_back(points[i]);
  for (auto i = last_brow_point; i >= first_brow_point; --i)
    result.outline.push_back(points[i]);
  return result;
}

} // namespace musetalk::pipeline
