#include "pipeline/frame_cache.hpp"

#include "errors/error.hpp"

#include <lz4.h>

namespace musetalk::pipeline {

namespace {

// What differs from the row above is small numbers and runs, which a fast coder shortens.
std::vector<char> take_differences(const image& x) {
  const auto row_bytes = static_cast<size_t>(x.width) * x.channels;
  const auto* pixels = x.pixels->data();
  auto result = std::vector<char>(x.pixels->size());
  for (auto i = size_t{0}; i < result.size(); ++i)
    result[i] = static_cast<char>(pixels[i] - (i < row_bytes ? 0 : pixels[i - row_bytes]));
  return result;
}

void add_up(std::vector<uint8_t>& rows, size_t row_bytes) {
  for (auto at = row_bytes; at < rows.size(); at += row_bytes) {
    auto* row = rows.data() + at;
    const auto* above = row - row_bytes;
    for (auto i = size_t{0}; i < row_bytes; ++i)
      row[i] = static_cast<uint8_t>(row[i] + above[i]);
  }
}

} // namespace

std::optional<image> frame_cache::find(size_t number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end())
    return std::nullopt;
  pictures_.splice(pictures_.begin(), pictures_, found->second);
  const auto& x = pictures_.front();
  const auto row_bytes = static_cast<size_t>(x.width) * x.channels;
  auto pixels = std::vector<uint8_t>(row_bytes * static_cast<size_t>(x.height));
  const auto size = static_cast<int>(pixels.size());
  if (LZ4_decompress_safe(x.bytes.data(), reinterpret_cast<char*>(pixels.data()),
                          static_cast<int>(x.bytes.size()), size) != size)
    throw error(errc::internal, "A cached picture cannot be read.");
  add_up(pixels, row_bytes);
  return image{x.width, x.height, x.channels, share(std::move(pixels))};
}

void frame_cache::put(size_t number, const image& picture) {
  if (by_number_.contains(number) || picture.pixels->size() > LZ4_MAX_INPUT_SIZE)
    return;
  const auto differences = take_differences(picture);
  const auto size = static_cast<int>(differences.size());
  auto bytes = std::vector<char>(static_cast<size_t>(LZ4_compressBound(size)));
  const auto used =
      LZ4_compress_default(differences.data(), bytes.data(), size, static_cast<int>(bytes.size()));
  if (used <= 0 || static_cast<uint64_t>(used) > max_bytes_)
    return;
  bytes.resize(static_cast<size_t>(used));
  bytes.shrink_to_fit();
  bytes_ += bytes.size();
  pictures_.push_front({number, picture.width, picture.height, picture.channels, std::move(bytes)});
  by_number_[number] = pictures_.begin();
  while (bytes_ > max_bytes_) {
    bytes_ -= pictures_.back().bytes.size();
    by_number_.erase(pictures_.back().number);
    pictures_.pop_back();
  }
}

} // namespace musetalk::pipeline
