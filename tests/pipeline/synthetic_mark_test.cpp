#include "pipeline/synthetic_mark.hpp"

#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::pipeline;

TEST(SyntheticMark, IsRedWithWhiteLettersAndLeavesTheRest) {
  auto frame = *plain(640, 360, 90).pixels;
  synthetic_mark{640, 360}.put(frame);
  auto bar = size_t{640} * 3 * 20;
  auto reddish = 0;
  auto white = 0;
  for (auto i = size_t{0}; i < bar; i += 3) {
    reddish += frame[i + 2] > 150 && frame[i] < 80;
    white += frame[i] > 200 && frame[i + 2] > 200;
  }
  EXPECT_GT(reddish, 640 * 10);
  EXPECT_GT(white, 500) << "letters";
  EXPECT_TRUE(std::all_of(frame.begin() + static_cast<ptrdiff_t>(bar), frame.end(),
                          [](uint8_t x) { return x == 90; }));
}

TEST(SyntheticMark, FitsTheSmallestPictures) {
  for (auto [width, height] : {std::pair{1, 1}, {7, 3}, {64, 64}}) {
    auto frame = *plain(width, height, 90).pixels;
    synthetic_mark{width, height}.put(frame);
    EXPECT_NE(frame[2], 90);
  }
}
