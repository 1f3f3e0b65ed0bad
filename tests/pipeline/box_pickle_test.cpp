#include "pipeline/box_pickle.hpp"

#include "models/checkpoint/avatar_lists.hpp"
#include "pipeline/file_ops.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

using namespace musetalk::pipeline;

TEST(PickledBoxes, AreTheBytesThatPythonWouldRead) {
  // list(2): [61, 0, 277, 328], [-5, 1, 70000, 2]
  using namespace std::string_literals;
  auto expected = "\x80\x02](](K=K\0M\x15\x01MH\x01"s
                  "e](J\xfb\xff\xff\xffK\x01Jp\x11\x01\0K\x02"s
                  "ee."s;
  auto boxes = std::vector{box{61, 0, 277, 328}, box{-5, 1, 70000, 2}};
  EXPECT_EQ(pickle_boxes(boxes), expected);
}

TEST(PickledBoxes, ReadBackAsWritten) {
  auto folder = musetalk::test::temporary_folder{};
  auto boxes = std::vector<box>{};
  for (auto i = 0; i < 3000; ++i)
    boxes.push_back({i - 100, i, i + 255, i * 50});
  write_file(folder.path() / "coords.pkl", bytes_of(pickle_boxes(boxes)));
  auto read = musetalk::models::read_box_list(folder.path() / "coords.pkl");
  ASSERT_EQ(read.size(), boxes.size());
  for (auto i = size_t{0}; i < boxes.size(); ++i) {
    const auto& x = boxes[i];
    EXPECT_EQ(read[i].edges, (std::array<int64_t, 4>{x.left, x.top, x.right, x.bottom}));
  }
}

TEST(PickledBoxes, MayBeNone) {
  EXPECT_EQ(pickle_boxes({}), (std::string{"\x80\x02](e."}));
}
