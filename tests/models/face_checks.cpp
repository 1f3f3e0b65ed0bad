#include "tests/models/face_checks.hpp"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace musetalk::models::testing {

void expect_faces(golden_case& expected, const std::array<s3fd_level, s3fd_levels>& levels) {
  for (size_t i = 0; i < levels.size(); ++i) {
    expected.expect("output.conf" + std::to_string(i), levels[i].conf);
    expected.expect("output.loc" + std::to_string(i), levels[i].loc);
  }
  auto candidates = s3fd_candidates(levels, 0);
  EXPECT_EQ(static_cast<int64_t>(candidates.size()),
            expected.tensor("output.candidate_count")[0].item<int64_t>());
  auto faces = s3fd_faces(candidates);
  auto wanted = expected.tensor("output.detections");
  ASSERT_GE(static_cast<int64_t>(faces.size()), wanted.size(0));
  auto got = at::empty({wanted.size(0), 5}, at::kDouble);
  for (int64_t i = 0; i < wanted.size(0); ++i) {
    const auto& f = faces[static_cast<size_t>(i)];
    auto row = got.accessor<double, 2>()[i];
    row[0] = f.left;
    row[1] = f.top;
    row[2] = f.right;
    row[3] = f.bottom;
    row[4] = f.score;
  }
  expected.expect("output.detections", got);
  auto first = expected.tensor("output.first_box_int");
  auto edges = std::array{faces[0].left, faces[0].top, faces[0].right, faces[0].bottom};
  for (size_t i = 0; i < edges.size(); ++i)
    EXPECT_EQ(static_cast<int64_t>(std::max(edges[i], 0.0)),
              first[static_cast<int64_t>(i)].item<int64_t>());
}

} // namespace musetalk::models::testing
