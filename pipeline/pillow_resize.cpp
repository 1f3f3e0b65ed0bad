#include "pipeline/pillow_resize.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <cmath>

namespace musetalk::pipeline {

namespace {

constexpr int32_t fraction_bits = 22;
constexpr int32_t half = 1 << (fraction_bits - 1);

double bilinear(double t) {
  t = std::abs(t);
  return t < 1. ? 1. - t : 0.;
}

double bicubic(double t) {
  constexpr auto a = -0.5;
  t = std::abs(t);
  if (t < 1.)
    return ((a + 2.) * t - (a + 3.)) * t * t + 1.;
  return t < 2. ? (((t - 5.) * t + 8.) * t - 4.) * a : 0.;
}

struct kernel {
  double (*weight)(double);
  double support;
};

kernel kernel_of(pillow_filter filter) {
  return filter == pillow_filter::bilinear ? kernel{bilinear, 1.} : kernel{bicubic, 2.};
}

// Which source pixels make one result pixel, and how much.
struct taps {
  int32_t first = 0;
  std::vector<int32_t> weights; // fixed point
};

// The taps of the result pixels [from, to) of one axis.
std::vector<taps> make_taps(int32_t source, int32_t result, const kernel& filter, int32_t from,
                            int32_t to) {
  auto scale = static_cast<double>(source) / result;
  auto stretch = std::max(scale, 1.);
  auto support = filter.support * stretch;
  auto all = std::vector<taps>{};
  auto weights = std::vector<double>{};
  for (auto i = from; i < to; ++i) {
    auto centre = (i + 0.5) * scale;
    auto low = std::max(0, static_cast<int32_t>(centre - support + 0.5));
    auto high = std::min(source, static_cast<int32_t>(centre + support + 0.5));
    weights.clear();
    auto sum = 0.;
    for (auto k = low; k < high; ++k) {
      weights.push_back(filter.weight((k - centre + 0.5) * (1. / stretch)));
      sum += weights.back();
    }
    auto one = taps{low, {}};
    for (auto w : weights) {
      auto fixed = (sum != 0. ? w / sum : w) * (1 << fraction_bits);
      one.weights.push_back(static_cast<int32_t>(fixed < 0. ? fixed - 0.5 : fixed + 0.5));
    }
    all.push_back(std::move(one));
  }
  return all;
}

uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> fraction_bits, 0, 255));
}

// Rows that are as wide as the result but as many as the source has: what a pass makes of another.
struct plane {
  int32_t first_row = 0;
  size_t row_bytes = 0;
  std::vector<uint8_t> pixels;

  const uint8_t* row(int32_t y) const {
    return pixels.data() + static_cast<size_t>(y - first_row) * row_bytes;
  }
  uint8_t* row(int32_t y) { return pixels.data() + static_cast<size_t>(y - first_row) * row_bytes; }
};

void resize_columns(const image& source, const std::vector<taps>& columns, int32_t y, uint8_t* to) {
  auto from = source.row(y);
  auto channels = source.channels;
  for (const auto& column : columns)
    for (auto c = 0; c < channels; ++c) {
      auto pixel = from + static_cast<ptrdiff_t>(column.first) * channels + c;
      auto sum = half;
      for (auto w : column.weights) {
        sum += *pixel * w;
        pixel += channels;
      }
      *to++ = to_byte(sum);
    }
}

} // namespace

image pillow_resize_part(const image& source, int32_t width, int32_t height, pillow_filter filter,
                         const box& part) {
  if (!source.pixels || source.width < 1 || source.height < 1 || part.left < 0 || part.top < 0 ||
      part.right > width || part.bottom > height || part.width() < 1 || part.height() < 1)
    throw error{errc::internal, "A resize from or to an empty picture."};
  auto kernel = kernel_of(filter);
  auto channels = static_cast<size_t>(source.channels);
  auto row_bytes = part.width() * channels;
  // An axis that keeps its size is not filtered at all.
  auto same_width = width == source.width;
  auto same_height = height == source.height;
  auto columns = same_width ? std::vector<taps>{}
                            : make_taps(source.width, width, kernel, part.left, part.right);
  auto rows = same_height ? std::vector<taps>{}
                          : make_taps(source.height, height, kernel, part.top, part.bottom);
  // First pass: only the source rows that the second one looks at.
  auto first = part.top;
  auto last = part.bottom;
  if (!same_height) {
    first = rows.front().first;
    last = 0;
    for (const auto& row : rows)
      last = std::max(last, row.first + static_cast<int32_t>(row.weights.size()));
  }
  auto wide = plane{first, row_bytes, std::vector<uint8_t>(row_bytes * (last - first))};
  for (auto y = first; y < last; ++y)
    if (same_width)
      std::copy_n(source.row(y) + part.left * channels, row_bytes, wide.row(y));
    else
      resize_columns(source, columns, y, wide.row(y));
  if (same_height)
    return {part.width(), part.height(), source.channels, share(std::move(wide.pixels))};
  // Second pass: whole rows at once, so that the compiler can use wide registers.
  auto result = std::vector<uint8_t>(row_bytes * part.height());
  auto sums = std::vector<int32_t>(row_bytes);
  auto to = result.data();
  for (const auto& row : rows) {
    std::ranges::fill(sums, half);
    auto y = row.first;
    for (auto w : row.weights) {
      auto from = wide.row(y++);
      for (auto x = size_t{0}; x < row_bytes; ++x)
        sums[x] += from[x] * w;
    }
    to = std::ranges::transform(sums, to, to_byte).out;
  }
  return {part.width(), part.height(), source.channels, share(std::move(result))};
}

image pillow_resize(const image& source, int32_t width, int32_t height, pillow_filter filter) {
  return pillow_resize_part(source, width, height, filter, {0, 0, width, height});
}

} // namespace musetalk::pipeline
