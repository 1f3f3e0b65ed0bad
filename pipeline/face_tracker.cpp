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

  std::optional<mesh> confirmed(const image& picture, const face_rect& where) {
    auto found = network.locate(picture, where);
    return found.present() ? std::optional{found} : std::nullopt;
  }

  std::optional<mesh> find(const image& picture, face_detector& detector) {
    auto found = detector.detect(picture);
    return found.empty() ? std::nullopt : confirmed(picture, rect_from_detection(found.front()));
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
  auto found = where ? impl_->confirmed(picture, *where) : impl_->find(picture, impl_->near);
  if (!found && !where && impl_->config.second_try)
    found = impl_->find(picture, impl_->far);
  if (found)
    impl_->next = rect_from_mesh(found->points);
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
