#pragma once

#include "pipeline/background_blur.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/clip_reader.hpp"
#include "pipeline/face_tracker.hpp"
#include "pipeline/gap_policy.hpp"
#include "pipeline/video_writer.hpp"

#include <deque>
#include <optional>

namespace musetalk::pipeline {

/// The preparer behind `open_clip`: libav, MediaPipe face networks on OpenCV DNN, polygon mask. The
/// avatar's frames are taken before the encoder, so they are a generation better than the written
/// video. Keeps at most `max_gap_frames` frames beside those of a batch.
class native_clip_preparer final : public clip_preparer {
public:
  native_clip_preparer(const clip_request& request, const prepare_config& config);

  const media_info& info() const override { return reader_.info(); }
  prepared_batch next(int32_t max_frames) override;
  prepare_times times() const override;

private:
  bool advance();
  void convert_only(int32_t max_frames);
  void prepare_current();
  void finish();
  void open_writer();
  void write_video(const image* changed);
  std::optional<face> find_face(const image& picture);
  prepared_frame complete(placed_frame placed);

  clip_request request_;
  prepare_config config_;
  clip_reader reader_;
  std::optional<video_writer> writer_; // made with the first frame, which tells the size
  std::optional<background_blur> blur_;
  std::optional<face_tracker> tracker_;
  gap_policy gaps_;
  std::deque<placed_frame> placed_; // their faces are decided; crop and mask are not made yet
  prepare_times times_;
  bool ended_ = false;
};

} // namespace musetalk::pipeline
