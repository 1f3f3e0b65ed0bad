#include "pipeline/frame_cache.hpp"

#include "tests/pipeline/sample_frames.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using test::make_picture;

TEST(FrameCache, GivesBackEveryPixel) {
  auto cache = frame_cache{1 << 20};
  for (const auto channels : {1, 3}) {
    const auto picture = make_picture(97, 61, channels, 5);
    const auto number = static_cast<size_t>(channels);
    cache.put(number, picture);
    const auto found = cache.find(number);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->width, 97);
    EXPECT_EQ(found->height, 61);
    EXPECT_EQ(found->channels, channels);
    EXPECT_EQ(*found->pixels, *picture.pixels);
  }
  EXPECT_FALSE(cache.find(2));
}

TEST(FrameCache, DropsTheLeastRecentlyUsedBeyondItsBudget) {
  auto probe = frame_cache{1 << 20};
  probe.put(0, make_picture(64, 64, 3, 0));
  const auto one = probe.bytes();
  auto cache = frame_cache{one * 2 + one / 2};
  cache.put(0, make_picture(64, 64, 3, 0));
  cache.put(1, make_picture(64, 64, 3, 0));
  EXPECT_TRUE(cache.find(0));
  cache.put(2, make_picture(64, 64, 3, 0));
  EXPECT_TRUE(cache.find(0));
  EXPECT_FALSE(cache.find(1));
  EXPECT_TRUE(cache.find(2));
  EXPECT_EQ(cache.bytes(), one * 2);
}

TEST(FrameCache, KeepsNothingThatIsLargerThanItsBudget) {
  auto cache = frame_cache{100};
  cache.put(0, make_picture(64, 64, 3, 0));
  EXPECT_FALSE(cache.find(0));
  EXPECT_EQ(cache.bytes(), 0u);
}
