#include "pipeline/film.hpp"

#include "errors/error.hpp"
#include "pipeline/synthetic_mark.hpp"
#include "pipeline/talking_video.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

namespace {

class written_film final : public film {
public:
  written_film(const film_plan& plan, const film_config& config)
      : video_(plan.file, plan.sound, config.limits, plan.picture.width, plan.picture.height,
               {config.x264_preset, plan.options.crf, config.threads, plan.options.fps}) {
    if (plan.marked)
      mark_.emplace(plan.picture.width, plan.picture.height);
  }

  void write(const speech_batch& batch, std::span<const image> faces) override {
    if (faces.size() != faces_in(batch))
      throw error{errc::internal, "Another count of faces came than there are frames with one."};
    auto face = faces.begin();
    for (const auto& frame : batch.frames)
      video_.write(finished(frame, frame.face ? &*face++ : nullptr));
  }

  void finish() override { video_.finish(); }

private:
  // Valid until the next call: fresh memory for every frame would cost more than the blending.
  image finished(const speech_frame& frame, const image* face) {
    const auto& x = frame.picture;
    if (face == nullptr && !mark_)
      return x;
    canvas_->assign(x.pixels->begin(), x.pixels->end());
    if (face != nullptr)
      blend_face(*face, frame.face_box, frame.area, *canvas_, x.width, x.height);
    if (mark_)
      mark_->put(*canvas_);
    return {x.width, x.height, x.channels, canvas_};
  }

  talking_video video_;
  std::optional<synthetic_mark> mark_;
  std::shared_ptr<std::vector<uint8_t>> canvas_ = std::make_shared<std::vector<uint8_t>>();
};

} // namespace

std::unique_ptr<film> open_film(const film_plan& plan, const film_config& config) {
  return std::make_unique<written_film>(plan, config);
}

} // namespace musetalk::pipeline
