#pragma once

#include "models/networks/rtmpose.hpp"
#include "tests/models/parity.hpp"

namespace musetalk::models::testing {

/// Compares what follows from flip-averaged SimCC vectors: places, scores, keypoints in the frame
/// and the face's points. Places count only where the best is clearly the best.
void expect_pose(golden_case& expected, const simcc& averaged, const rtmpose_config& config,
                 int frame_width, int frame_height);

} // namespace musetalk::models::testing
