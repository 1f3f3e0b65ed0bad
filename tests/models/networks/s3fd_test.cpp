#include "models/networks/s3fd.hpp"

#include "models/networks/recorder.hpp"
#include "tests/models/face_checks.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(S3FD, EqualsTheReferenceAtEveryLayer) {
  auto cases = golden_cases("s3fd");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    auto expected = golden_case{folder};
    auto source = checkpoint::open(folder / "s3fd.pth");
    auto network = S3FD{s3fd_config::from_weights(source)};
    load_weights(*network, source, s3fd_names(), placement{});
    c10::InferenceMode inference;
    auto record = recorder{*network};
    auto x = s3fd_input(expected.tensor("input.frame_bgr").unsqueeze(0));
    expected.expect("intermediate.preprocessed", x);
    expect_faces(expected, network->forward(x));
    auto count = size_t{1};
    for (const auto& [name, value] : record.values())
      for (const auto* suffix : {"", ".before_relu"})
        if (auto stated = "intermediate." + name + suffix; expected.has(stated)) {
          expected.expect(stated, value);
          ++count;
        }
    EXPECT_EQ(count, expected.names("intermediate.").size());
  }
}

TEST(S3FD, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = S3FD{s3fd_config{}};
  EXPECT_EQ(parameter_count(*network), 22'459'110u);
  EXPECT_EQ(names_and_shapes(*network), real_names_and_shapes("s3fd.txt"));
}

TEST(S3FD, KeepsTheBestOfFacesThatOverlap) {
  auto best = s3fd_face{10, 10, 110, 110, 0.9};
  auto shadow = s3fd_face{15, 12, 112, 111, 0.8};
  auto other = s3fd_face{200, 10, 300, 110, 0.7};
  auto unsure = s3fd_face{400, 10, 500, 110, 0.5};
  auto kept = s3fd_faces({other, shadow, unsure, best});
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].score, 0.9);
  EXPECT_EQ(kept[1].score, 0.7);
}
