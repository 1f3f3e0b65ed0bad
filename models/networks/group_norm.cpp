#include "models/networks/group_norm.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

// The loops below are compiled for several processors; the best is chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_PROCESSOR                                                                         \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace musetalk::models {

namespace {

/// Values of a block: its two readings shall find it in the cache of one core.
constexpr int64_t block_values = 16384;

/// A bfloat16 as it lies in memory: the upper half of a float.
struct bf16 {
  uint16_t bits;
};

inline float widen(float x) {
  return x;
}

inline float widen(bf16 x) {
  return std::bit_cast<float>(uint32_t{x.bits} << 16);
}

template <class T>
T narrow(float x);

template <>
inline float narrow<float>(float x) {
  return x;
}

template <>
inline bf16 narrow<bf16>(float x) {
  // To the nearest, halves to even.
  auto bits = std::bit_cast<uint32_t>(x);
  return {static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}

/// e^x to 2 units in the last place. No branch and no table, so that compilers vectorise it.
/// Source: the method of Cephes' `expf` (argument reduction by ln 2 in two parts, polynomial).
inline float exponential(float x) {
  constexpr auto log2_e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  // Added to a small number, its last bits become the nearest integer.
  constexpr auto rounder = 12582912.f;
  x = x < -87.f ? -87.f : x;
  x = x > 88.f ? 88.f : x;
  auto shifted = x * log2_e + rounder;
  auto power = shifted - rounder;
  auto r = x - power * ln2_high - power * ln2_low;
  auto p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  auto scale = std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + 0x3F800000u);
  return p * scale;
}

struct moments {
  double count = 0, mean = 0;
  double squares = 0; ///< Sum of the squared distances from the mean.

  /// Source: Chan, Golub, LeVeque, "Updating formulae ... for computing sample variances" (1979).
  void join(const moments& other) {
    auto all = count + other.count;
    auto apart = other.mean - mean;
    mean += apart * other.count / all;
    squares += other.squares + apart * apart * count * other.count / all;
    count = all;
  }
};

/// One layer's sizes.
struct sizes {
  int64_t channels = 0, groups = 0;
  int64_t width() const { return channels / groups; }
};

/// Moments of each group over a block of pixels.
/// @param row Room for two rows of channels.
template <class T>
[[gnu::always_inline]] inline void sum_block(const T* __restrict x, int64_t pixels, sizes s,
                                             float* __restrict row, moments* out) {
  auto *sum = row, *mean = row + s.channels;
  auto group_sum = [&](int64_t group) {
    auto total = 0.0;
    for (auto c = group * s.width(); c < (group + 1) * s.width(); ++c)
      total += sum[c];
    return total;
  };
  std::fill_n(sum, s.channels, 0.f);
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < s.channels; ++c)
      sum[c] += widen(x[p * s.channels + c]);
  for (int64_t g = 0; g < s.groups; ++g) {
    out[g].count = static_cast<double>(pixels * s.width());
    out[g].mean = group_sum(g) / out[g].count;
    std::fill_n(mean + g * s.width(), s.width(), static_cast<float>(out[g].mean));
  }
  std::fill_n(sum, s.channels, 0.f);
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < s.channels; ++c) {
      auto apart = widen(x[p * s.channels + c]) - mean[c];
      sum[c] += apart * apart;
    }
  for (int64_t g = 0; g < s.groups; ++g)
    out[g].squares = group_sum(g);
}

/// `(x - mean) * scale + bias` per channel, then SiLU where wanted.
template <class T>
[[gnu::always_inline]] inline void
apply_block(const T* __restrict x, T* __restrict y, int64_t pixels, int64_t channels,
            const float* __restrict mean, const float* __restrict scale,
            const float* __restrict bias, activation next) {
  if (next == activation::silu)
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t c = 0; c < channels; ++c) {
        auto z = (widen(x[p * channels + c]) - mean[c]) * scale[c] + bias[c];
        y[p * channels + c] = narrow<T>(z / (1.f + exponential(-z)));
      }
  else
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t c = 0; c < channels; ++c)
        y[p * channels + c] =
            narrow<T>((widen(x[p * channels + c]) - mean[c]) * scale[c] + bias[c]);
}

FOR_EACH_PROCESSOR
void sum_any(const float* x, int64_t pixels, sizes s, float* row, moments* out) {
  sum_block(x, pixels, s, row, out);
}

FOR_EACH_PROCESSOR
void sum_any(const bf16* x, int64_t pixels, sizes s, float* row, moments* out) {
  sum_block(x, pixels, s, row, out);
}

FOR_EACH_PROCESSOR
void apply_any(const float* x, float* y, int64_t pixels, int64_t channels, const float* mean,
               const float* scale, const float* bias, activation next) {
  apply_block(x, y, pixels, channels, mean, scale, bias, next);
}

FOR_EACH_PROCESSOR
void apply_any(const bf16* x, bf16* y, int64_t pixels, int64_t channels, const float* mean,
               const float* scale, const float* bias, activation next) {
  apply_block(x, y, pixels, channels, mean, scale, bias, next);
}

/// Pixels of a block and blocks of a picture.
struct blocking {
  blocking(int64_t channels, int64_t pixels_of_picture)
      : pixels(std::max<int64_t>(1, block_values / channels)),
        count((pixels_of_picture + pixels - 1) / pixels) {}

  int64_t pixels;
  int64_t count;
};

/// Mean and factor of each channel of each picture.
struct normalisation {
  std::vector<float> mean, scale; ///< `[n, channels]`.
};

normalisation to_channels(const std::vector<moments>& parts, int64_t n, int64_t blocks, sizes s,
                          const float* weight, double eps) {
  auto result = normalisation{};
  for (int64_t picture = 0; picture < n; ++picture)
    for (int64_t g = 0; g < s.groups; ++g) {
      auto all = moments{};
      for (int64_t b = 0; b < blocks; ++b)
        all.join(parts[static_cast<size_t>((picture * blocks + b) * s.groups + g)]);
      auto factor = 1.0 / std::sqrt(all.squares / all.count + eps);
      for (auto c = g * s.width(); c < (g + 1) * s.width(); ++c) {
        result.mean.push_back(static_cast<float>(all.mean));
        result.scale.push_back(static_cast<float>(factor * weight[c]));
      }
    }
  return result;
}

template <class T>
void normalise(const T* x, T* y, int64_t n, int64_t pixels, sizes s, const float* weight,
               const float* bias, double eps, activation next) {
  auto blocks = blocking{s.channels, pixels};
  // What each block is: its picture, its first pixel, and how many it has.
  auto for_blocks = [&](const auto& work) {
    at::parallel_for(0, n * blocks.count, 1, [&](int64_t begin, int64_t end) {
      auto room = std::vector<float>(static_cast<size_t>(2 * s.channels));
      for (auto i = begin; i < end; ++i) {
        auto first = i % blocks.count * blocks.pixels;
        work(i, i / blocks.count, first, std::min(blocks.pixels, pixels - first), room.data());
      }
    });
  };
  auto parts = std::vector<moments>(static_cast<size_t>(n * blocks.count * s.groups));
  for_blocks([&](int64_t i, int64_t picture, int64_t first, int64_t count, float* room) {
    sum_any(x + (picture * pixels + first) * s.channels, count, s, room,
            parts.data() + i * s.groups);
  });
  auto all = to_channels(parts, n, blocks.count, s, weight, eps);
  for_blocks([&](int64_t, int64_t picture, int64_t first, int64_t count, float*) {
    auto at = (picture * pixels + first) * s.channels;
    apply_any(x + at, y + at, count, s.channels, all.mean.data() + picture * s.channels,
              all.scale.data() + picture * s.channels, bias, next);
  });
}

} // namespace

at::Tensor group_norm_channels_last(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                                    const at::Tensor& bias, double eps, activation next) {
  auto input = x.contiguous(at::MemoryFormat::ChannelsLast);
  auto output = at::empty_like(input);
  auto s = sizes{x.size(1), groups};
  auto n = x.size(0), pixels = x.size(2) * x.size(3);
  auto w = weight.to(at::kFloat).contiguous(), b = bias.to(at::kFloat).contiguous();
  auto run = [&]<class T>(T*) {
    normalise(static_cast<const T*>(input.const_data_ptr()),
              static_cast<T*>(output.mutable_data_ptr()), n, pixels, s, w.const_data_ptr<float>(),
              b.const_data_ptr<float>(), eps, next);
  };
  if (x.scalar_type() == at::kBFloat16)
    run(static_cast<bf16*>(nullptr));
  else
    run(static_cast<float*>(nullptr));
  return output;
}

} // namespace musetalk::models
