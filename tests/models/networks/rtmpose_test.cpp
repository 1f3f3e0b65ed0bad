#include "models/networks/rtmpose.hpp"

#include "errors/error.hpp"
#include "models/networks/recorder.hpp"
#include "models/pose_geometry.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"
#include "tests/models/pose_checks.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(RTMPose, EqualsTheReferenceAtEveryBlock) {
  auto cases = golden_cases("dwpose");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    auto expected = golden_case{folder};
    auto source = checkpoint::open(folder / "dwpose.pth");
    auto network = RTMPose{rtmpose_config::from_weights(source)};
    load_weights(*network, source, rtmpose_names(), placement{});
    c10::InferenceMode inference;
    auto x = pose_input(expected.tensor("input.canvas_bgr").unsqueeze(0));
    auto both = network->forward_with_flip(x);
    auto record = recorder{*network};
    auto plain = network->forward(x);
    expected.expect("output.simcc_x", plain.x);
    expected.expect("output.simcc_y", plain.y);
    expected.expect("output.simcc_x_flip_averaged", both.x);
    expected.expect("output.simcc_y_flip_averaged", both.y);
    EXPECT_EQ(expected.expect_intermediates(record.values()),
              expected.names("intermediate.").size());
    auto size = expected.tensor("input.frame_size_wh");
    expect_pose(expected, both, network->config(), size[0].item<int>(), size[1].item<int>());
  }
}

TEST(RTMPose, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = RTMPose{rtmpose_config{}};
  EXPECT_EQ(names_and_shapes(*network), real_names_and_shapes("rtmpose_l_wholebody_384x288.txt"));
}

TEST(RTMPose, SaysWhenAFileIsOfAnotherNetwork) {
  auto source = checkpoint::open(goldens() / "s3fd/tiny/s3fd.pth");
  EXPECT_THROW(rtmpose_config::from_weights(source), musetalk::error);
}

TEST(PoseGeometry, PutsTheWholeFrameIntoTheCanvas) {
  // 640 x 480 is wider than 288 x 384: the canvas is as wide as the enlarged box.
  auto canvas = canvas_of(640, 480, 288, 384);
  EXPECT_EQ(canvas.scale[0], 800.0);
  EXPECT_NEAR(canvas.scale[1], 800.0 / 0.75, 1e-3);
  auto m = frame_to_canvas(canvas, 288, 384);
  EXPECT_NEAR(m[0] * 320 + m[2], 144.0, 1e-9);
  EXPECT_NEAR(m[4] * 240 + m[5], 192.0, 1e-9);
  auto back = canvas_to_frame(canvas, {144.0, 192.0}, 288, 384);
  EXPECT_NEAR(back[0], 320.0, 1e-9);
  EXPECT_NEAR(back[1], 240.0, 1e-9);
}

TEST(PoseGeometry, MirrorsEveryPointBackToItself) {
  const auto& mirror = mirrored_keypoints();
  for (size_t i = 0; i < mirror.size(); ++i)
    EXPECT_EQ(mirror[static_cast<size_t>(mirror[i])], static_cast<int>(i));
  EXPECT_EQ(mirror[0], 0);
  EXPECT_EQ(mirror[23], 39);
  EXPECT_EQ(mirror[91], 112);
}
