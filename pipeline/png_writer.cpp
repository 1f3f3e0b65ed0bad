#include "pipeline/png_writer.hpp"

#include "errors/error.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <opencv2/imgproc.hpp>

#include <array>
#include <cstring>
#include <span>

namespace musetalk::pipeline {

namespace {

constexpr int64_t max_raw_bytes = int64_t{1} << 30;
constexpr uint8_t filter_sub = 1;
constexpr uint8_t filter_up = 2;

[[noreturn]] void refuse(const char* cause) {
  throw error(errc::internal, "A picture could not be written as PNG.", cause);
}

void put_u32(uint8_t* to, uint32_t x) {
  for (auto i = 0; i < 4; ++i)
    to[i] = static_cast<uint8_t>(x >> (24 - 8 * i));
}

void append(std::vector<uint8_t>& to, const uint8_t* data, size_t bytes) {
  const auto at = to.size();
  to.resize(at + bytes);
  if (bytes > 0)
    std::memcpy(to.data() + at, data, bytes);
}

void append_u32(std::vector<uint8_t>& to, uint32_t x) {
  to.resize(to.size() + 4);
  put_u32(to.data() + to.size() - 4, x);
}

void append_chunk(std::vector<uint8_t>& to, const char* type, std::span<const uint8_t> data) {
  append_u32(to, static_cast<uint32_t>(data.size()));
  const auto begin = to.size();
  append(to, reinterpret_cast<const uint8_t*>(type), 4);
  append(to, data.data(), data.size());
  append_u32(to, crc32_gzip_refl(0, to.data() + begin, data.size() + 4));
}

// The usual measure of a filtered row: the closer to zero, the better it deflates. The loops are
// plain so that the compiler makes vectors of them, by two instruction sets.
#if defined(__x86_64__) && !defined(__clang__)
#define MUSETALK_EVERY_CPU __attribute__((always_inline)) inline
#else
#define MUSETALK_EVERY_CPU inline
#endif

MUSETALK_EVERY_CPU uint32_t cost_loop(const uint8_t* row, size_t bytes) {
  auto sum = uint32_t{0};
  for (size_t i = 0; i < bytes; ++i) {
    const auto x = row[i];
    const auto mirrored = static_cast<uint8_t>(0 - x);
    sum += x < mirrored ? x : mirrored;
  }
  return sum;
}

MUSETALK_EVERY_CPU void subtract_loop(uint8_t* __restrict to, const uint8_t* from,
                                      const uint8_t* predicted, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    to[i] = static_cast<uint8_t>(from[i] - predicted[i]);
}

MUSETALK_EVERY_CPU uint8_t* filter_loop(uint8_t* sub, uint8_t* up, const uint8_t* row,
                                        const uint8_t* above, size_t bytes, size_t pixel) {
  std::memcpy(sub, row, pixel);
  subtract_loop(sub + pixel, row + pixel, row, bytes - pixel);
  subtract_loop(up, row, above, bytes);
  return cost_loop(up, bytes) < cost_loop(sub, bytes) ? up : sub;
}

#if defined(__x86_64__) && !defined(__clang__)
__attribute__((target("avx2"))) uint8_t* filter_avx2(uint8_t* sub, uint8_t* up, const uint8_t* row,
                                                     const uint8_t* above, size_t bytes,
                                                     size_t pixel) {
  return filter_loop(sub, up, row, above, bytes, pixel);
}
const bool has_avx2 = __builtin_cpu_supports("avx2") > 0;
#endif

/// Fills both filtered rows. @returns The better one.
uint8_t* filter_row(uint8_t* sub, uint8_t* up, const uint8_t* row, const uint8_t* above,
                    size_t bytes, size_t pixel) {
#if defined(__x86_64__) && !defined(__clang__)
  if (has_avx2)
    return filter_avx2(sub, up, row, above, bytes, pixel);
#endif
  return filter_loop(sub, up, row, above, bytes, pixel);
}

} // namespace

struct png_encoder::impl {
  std::vector<uint8_t> level = std::vector<uint8_t>(ISAL_DEF_LVL1_DEFAULT);
  std::vector<uint8_t> rgb;
  std::vector<uint8_t> zeros; // above the first row
  std::vector<uint8_t> up;
  std::vector<uint8_t> filtered;
  std::vector<uint8_t> deflated;

  void filter(const uint8_t* pixels, size_t row_bytes, size_t rows, size_t pixel) {
    filtered.resize((row_bytes + 1) * rows);
    up.resize(row_bytes);
    zeros.assign(row_bytes, 0);
    auto* to = filtered.data();
    for (size_t y = 0; y < rows; ++y, to += row_bytes + 1) {
      const auto* row = pixels + y * row_bytes;
      const auto* above = y > 0 ? row - row_bytes : zeros.data();
      const auto* better = filter_row(to + 1, up.data(), row, above, row_bytes, pixel);
      to[0] = better == up.data() ? filter_up : filter_sub;
      if (better == up.data())
        std::memcpy(to + 1, up.data(), row_bytes);
    }
  }

  size_t deflate() {
    // Stored blocks are the worst case; they add 5 bytes to each 64 KB.
    deflated.resize(filtered.size() + filtered.size() / 8 + 4096);
    auto stream = isal_zstream{};
    isal_deflate_init(&stream);
    stream.level = 1;
    stream.level_buf = level.data();
    stream.level_buf_size = static_cast<uint32_t>(level.size());
    stream.gzip_flag = IGZIP_ZLIB;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.next_in = filtered.data();
    stream.avail_in = static_cast<uint32_t>(filtered.size());
    stream.next_out = deflated.data();
    stream.avail_out = static_cast<uint32_t>(deflated.size());
    if (isal_deflate(&stream) != COMP_OK || stream.internal_state.state != ZSTATE_END)
      refuse("isal_deflate");
    return stream.total_out;
  }
};

png_encoder::png_encoder() : impl_(std::make_unique<impl>()) {}
png_encoder::png_encoder(png_encoder&&) noexcept = default;
png_encoder& png_encoder::operator=(png_encoder&&) noexcept = default;
png_encoder::~png_encoder() = default;

std::vector<uint8_t> png_encoder::encode(const image& picture) {
  const auto colour = picture.channels == 3;
  if (picture.width < 1 || picture.height < 1 || (!colour && picture.channels != 1) ||
      !picture.pixels)
    refuse("no picture");
  const auto row_bytes = int64_t{picture.width} * picture.channels;
  if (row_bytes > max_raw_bytes || row_bytes * picture.height > max_raw_bytes ||
      picture.pixels->size() != static_cast<size_t>(row_bytes * picture.height))
    refuse("picture too large, or its bytes are not of its size");
  const auto* pixels = picture.pixels->data();
  if (colour) {
    impl_->rgb.resize(picture.pixels->size());
    const auto from = cv::Mat(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(pixels));
    auto to = cv::Mat(picture.height, picture.width, CV_8UC3, impl_->rgb.data());
    cv::cvtColor(from, to, cv::COLOR_BGR2RGB);
    pixels = impl_->rgb.data();
  }
  impl_->filter(pixels, static_cast<size_t>(row_bytes), static_cast<size_t>(picture.height),
                static_cast<size_t>(picture.channels));
  const auto deflated = impl_->deflate();
  // Size, depth, colour type, then deflate, adaptive filters, no interlacing.
  auto header = std::array<uint8_t, 13>{};
  put_u32(header.data(), static_cast<uint32_t>(picture.width));
  put_u32(header.data() + 4, static_cast<uint32_t>(picture.height));
  header[8] = 8;
  header[9] = colour ? 2 : 0;
  static constexpr auto signature = std::to_array<uint8_t>({137, 'P', 'N', 'G', 13, 10, 26, 10});
  auto result = std::vector<uint8_t>{};
  result.reserve(deflated + 64);
  append(result, signature.data(), signature.size());
  append_chunk(result, "IHDR", header);
  append_chunk(result, "IDAT", {impl_->deflated.data(), deflated});
  append_chunk(result, "IEND", {});
  return result;
}

std::vector<uint8_t> encode_png(const image& picture) {
  return png_encoder{}.encode(picture);
}

} // namespace musetalk::pipeline
