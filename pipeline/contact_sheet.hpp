#pragma once

#include "pipeline/image.hpp"
#include "pipeline/prepared.hpp"
#include "pipeline/preview.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace musetalk::pipeline {

/// What a contact sheet looks like.
struct sheet_config {
  int32_t tiles = 12;      ///< Frames shown, 1..64, spread evenly over the clip.
  int32_t tile_side = 360; ///< Longer side of a frame on the sheet, pixels, 160..1024.
  std::string title{};     ///< Top line; ASCII.
  std::string watermark{}; ///< A line that nobody overlooks, such as for synthetic weights.
};

/// Frames of a clip with face box, mask and points drawn, so that a person sees whether the
/// preparation worked. Streams: at most four times `tiles` small pictures are kept, whatever the
/// clip's length.
class contact_sheet {
public:
  explicit contact_sheet(sheet_config config);

  /// Takes the next frame, in order; draws only those that may be shown.
  void add(const prepared_frame& next);

  /// The sheet, BGR. @throws error `internal` before the first frame.
  image draw() const;

private:
  struct tile {
    image picture;
    bool held = false;
  };

  sheet_config config_;
  std::map<int64_t, tile> drawn_; // by position in the clip
  int64_t stride_ = 1;            // every how many frames one is drawn
  int64_t count_ = 0;
};

/// A sheet that has a title with another one in its place. @param sheet BGR, as `draw` made it.
image with_title(const image& sheet, const std::string& title);

} // namespace musetalk::pipeline
