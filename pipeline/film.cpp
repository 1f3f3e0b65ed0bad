#include "pipeline/film.hpp"

#include "errors/error.hpp"
#include "pipeline/synthetic_mark.hpp"
#include "pipeline/talking_video.hpp"

#include <optional>
#include <utility>

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
  image finished(const speech_frame& frame, const image* face) const {
    const auto& x = frame.picture;
    if (face == nullptr && !mark_)
      return x;
    auto pixels = *x.pixels;
    if (face != nullptr)
      blend_face(*face, frame.face_box, frame.area, pixels, x.width, x.height);
    if (mark_)
      mark_->put(pixels);
    return {x.width, x.height, x.channels, share(std::move(pixels))};
  }

  talking_video video_;
  std::optional<synthetic_mark> mark_;
};

} // namespace

std::unique_ptr<film> open_film(const film_plan& plan, const film_config& config) {
  return std::make_unique<written_film>(plan, config);
}

} // namespace musetalk::pipeline
