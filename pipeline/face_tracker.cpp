#include "pipeline/face_tracker.hpp"

#include "pipeline/face_detector.hpp"
#include "pipeline/face_landmarks.hpp"

#include <utility>

namespace musetalk::pipeline {

struct face_tracker::impl {
  impl(const std::filesystem::path& models_dir, const tracker_config& settings)
      : config(settings), near(models_dir, detector_range::near),
        far(models_dir, detector_range::far), network(models_dir) {
    // nop
  }

  // Where to look when no face is followed.
  std::optional<face_rect> find(const image& picture) {
    auto found = near.detect(picture);
    if (found.empty() && config.second_try)
      found = far.detect(picture);
    if (found.empty())
      return std::nullopt;
    return rect_from_detection(found.front());
  }

  tracker_config config;
  face_detector near;
  face_detector far;
  face_mesh network;
  std::optional<face_rect> next; // where the previous frame says the face is
};

face_tracker::face_tracker(const std::filesystem::path& models_dir, const tracker_config& config)
    : impl_(std::make_unique<impl>(models_dir, config)) {
  // nop
}

face_tracker::face_tracker(face_tracker&&) noexcept = default;
face_tracker& face_tracker::operator=(face_tracker&&) noexcept = default;
face_tracker::~face_tracker() = default;

std::optional<mesh> face_tracker::process_mesh(const image& picture) {
  auto where = std::exchange(impl_->next, std::nullopt);
  if (!where)
    where = impl_->find(picture);
  if (!where)
    return std::nullopt;
  auto found = impl_->network.locate(picture, *where);
  if (!found.present())
    return std::nullopt;
  impl_->next = rect_from_mesh(found.points);
  return found;
}

std::optional<face> face_tracker::process(const image& picture) {
  auto found = process_mesh(picture);
  if (!found)
    return std::nullopt;
  return face_from_mesh(*found);
}

void face_tracker::reset() noexcept {
  impl_->next.reset();
}

} // namespace musetalk::pipeline
