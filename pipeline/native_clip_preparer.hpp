#pragma once

#include "pipeline/background_blur.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/clip_reader.hpp"
#include "pipeline/face_mask.hpp"
#include "pipeline/face_source.hpp"
#include "pipeline/gap_policy.hpp"
#include "pipeline/video_writer.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace musetalk::pipeline {

/// The preparer behind `open_clip`: libav, the face methods of the settings. The avatar's frames
/// are taken before the encoder, so they are a generation better than the written video. Keeps at
/// most `max_gap_frames` frames beside those of two batches.
class native_clip_preparer final : public clip_preparer {
public:
  /// @param analysis As for `open_clip`.
  native_clip_preparer(const clip_request& request, const prepare_config& config,
                       face_analysis_ptr analysis);

  const media_info& info() const override { return reader_.info(); }
  prepared_batch next(int32_t max_frames) override;
  prepare_times times() const override;

private:
  /// A frame that was read and written to the video; its face is not known yet.
  struct read_frame {
    image as_it_came; ///< The face is looked for here: a blurred edge must not move it.
    frame kept;
  };

  bool advance();
  void convert_only(int32_t max_frames);
  read_frame read_current();
  void read_and_place(int32_t max_frames);
  void place(std::vector<read_frame> read);
  void finish();
  void open_writer();
  void write_video(const image* changed);
  std::vector<std::optional<face>> find_faces(const std::vector<read_frame>& read);
  std::vector<prepared_frame> complete(std::vector<placed_frame> placed);
  std::vector<face_mask> make_masks(const std::vector<placed_frame>& placed,
                                    const std::vector<box>& face_boxes);

  clip_request request_;
  prepare_config config_;
  face_analysis_ptr analysis_;
  clip_reader reader_;
  std::optional<video_writer> writer_; // made with the first frame, which tells the size
  std::optional<background_blur> blur_;
  std::unique_ptr<face_source> faces_; // none when only converting
  gap_policy gaps_;
  std::deque<placed_frame> placed_; // their faces are decided; crop and mask are not made yet
  prepare_times times_;
  bool ended_ = false;
};

} // namespace musetalk::pipeline
