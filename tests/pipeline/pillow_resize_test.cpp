#include "pipeline/pillow_resize.hpp"

#include "errors/error.hpp"
#include "tests/pipeline/pictures.hpp"

#include <gtest/gtest.h>

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

struct resize_case {
  const char* mode;
  const char* name;
  pillow_filter filter;
  int32_t width;
  int32_t height;
};

class PillowResize : public testing::TestWithParam<resize_case> {};

} // namespace

TEST_P(PillowResize, EqualsPillowBitForBit) {
  auto [mode, name, filter, width, height] = GetParam();
  auto source = load_picture(golden(std::string{"pillow/source_"} + mode + ".png"));
  auto expected =
      load_picture(golden(std::string{"pillow/"} + mode + "_" + name + "_" + std::to_string(width) +
                          "x" + std::to_string(height) + ".png"));
  EXPECT_EQ(largest_difference(pillow_resize(source, width, height, filter), expected), 0);
}

TEST_P(PillowResize, GivesAPartAsTheWholeHasIt) {
  auto [mode, name, filter, width, height] = GetParam();
  auto source = load_picture(golden(std::string{"pillow/source_"} + mode + ".png"));
  auto whole = pillow_resize(source, width, height, filter);
  auto part = box{width / 3, height / 2, width - width / 4, height};
  auto expected = to_image(borrow(whole)(to_rect(part)));
  EXPECT_EQ(largest_difference(pillow_resize_part(source, width, height, filter, part), expected),
            0);
}

INSTANTIATE_TEST_SUITE_P(
    Goldens, PillowResize,
    testing::Values(resize_case{"L", "bilinear", pillow_filter::bilinear, 80, 61},
                    resize_case{"L", "bilinear", pillow_filter::bilinear, 17, 13},
                    resize_case{"L", "bilinear", pillow_filter::bilinear, 37, 50},
                    resize_case{"L", "bicubic", pillow_filter::bicubic, 91, 70},
                    resize_case{"L", "bicubic", pillow_filter::bicubic, 16, 29},
                    resize_case{"L", "bicubic", pillow_filter::bicubic, 5, 1},
                    resize_case{"L", "bicubic", pillow_filter::bicubic, 37, 29},
                    resize_case{"RGB", "bilinear", pillow_filter::bilinear, 80, 61},
                    resize_case{"RGB", "bilinear", pillow_filter::bilinear, 17, 13},
                    resize_case{"RGB", "bilinear", pillow_filter::bilinear, 37, 50},
                    resize_case{"RGB", "bicubic", pillow_filter::bicubic, 91, 70},
                    resize_case{"RGB", "bicubic", pillow_filter::bicubic, 16, 29},
                    resize_case{"RGB", "bicubic", pillow_filter::bicubic, 5, 1},
                    resize_case{"RGB", "bicubic", pillow_filter::bicubic, 37, 29}));

TEST(PillowResizeLimits, RefusesAnEmptyResult) {
  EXPECT_THROW(pillow_resize(plain(4, 4, 0), 0, 4, pillow_filter::bicubic), error);
}

TEST(PillowResizeLimits, RefusesAnEmptySource) {
  EXPECT_THROW(pillow_resize(image{}, 4, 4, pillow_filter::bicubic), error);
}
