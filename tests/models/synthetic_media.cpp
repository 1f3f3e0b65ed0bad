#include "tests/models/synthetic_media.hpp"

#include "models/networks/hash_fill.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

namespace musetalk::models::testing {

namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t triangle(int64_t n, int64_t step) {
  auto p = (n * step) & 0xFFFF;
  return (p < 0x8000 ? p : 0xFFFF - p) / 2 - 8192;
}

} // namespace

at::Tensor synthetic_image(const std::string& name, int64_t height, int64_t width, uint64_t seed) {
  auto image = at::empty({height, width, 3}, at::kByte);
  auto* to = image.mutable_data_ptr<uint8_t>();
  auto state = fnv1a64("input." + name) ^ seed;
  auto smaller = std::min(width, height);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      auto pixel =
          std::array<int64_t, 3>{x * 160 / std::max<int64_t>(width - 1, 1) + 40,
                                 y * 160 / std::max<int64_t>(height - 1, 1) + 30,
                                 (x + y) * 120 / std::max<int64_t>(width + height - 2, 1) + 60};
      auto dx = 2 * x - width, dy = 2 * y - height;
      if (dx * dx * 4 + dy * dy * 3 < 2 * smaller * smaller)
        pixel = {90, 120, 190};
      for (int64_t c = 0; c < 3; ++c) {
        auto noise = hash_at(state, static_cast<uint64_t>((y * width + x) * 3 + c)) >> 59;
        *to++ = static_cast<uint8_t>(std::clamp<int64_t>(
            pixel[static_cast<size_t>(c)] + static_cast<int64_t>(noise) - 16, 0, 255));
      }
    }
  return image;
}

std::vector<int16_t> synthetic_audio(int64_t samples, uint64_t seed) {
  auto sound = std::vector<int16_t>(static_cast<size_t>(samples));
  auto state = fnv1a64("input.audio") ^ seed;
  for (int64_t n = 0; n < samples; ++n) {
    auto step = 901 + 37 * static_cast<int64_t>(seed % 16) + 13 * ((n / 4000) % 5);
    auto tone =
        triangle(n, step) + floor_div(triangle(n, 4801), 2) + floor_div(triangle(n, 14007), 4);
    auto noise = static_cast<int64_t>(hash_at(state, static_cast<uint64_t>(n)) >> 55) - 256;
    auto loudness = (n / 1600) % 8;
    sound[static_cast<size_t>(n)] = static_cast<int16_t>(
        std::clamp<int64_t>(floor_div(tone * loudness, 7) + noise, -32768, 32767));
  }
  return sound;
}

} // namespace musetalk::models::testing
