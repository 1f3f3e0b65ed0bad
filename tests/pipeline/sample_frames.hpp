#pragma once

#include "pipeline/avatar_store.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/prepared.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace musetalk::test {

/// A picture whose pixels depend on their place and on `seed`.
inline pipeline::image make_picture(int32_t width, int32_t height, int32_t channels, int64_t seed) {
  auto pixels = std::vector<uint8_t>(static_cast<size_t>(width) * height * channels);
  for (auto i = size_t{0}; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint8_t>(i * 7 / 5 + static_cast<size_t>(seed) * 31);
  return {width, height, channels, pipeline::share(std::move(pixels))};
}

inline pipeline::prepared_frame make_frame(int64_t index, int32_t width = 96, int32_t height = 64) {
  auto x = pipeline::prepared_frame{};
  auto shift = static_cast<int32_t>(index % 4);
  x.source = {index, make_picture(width, height, 3, index)};
  x.face_box = {20 + shift, 10, 60 + shift, 50};
  x.crop = make_picture(pipeline::crop_size, pipeline::crop_size, 3, index);
  x.mask_box = {10 + shift, 0, 70 + shift, 60};
  x.mask = make_picture(60, 60, 1, index);
  return x;
}

/// Finite values that differ from frame to frame.
inline pipeline::latent make_latent(int64_t index) {
  auto bits = std::vector<uint16_t>(8 * 32 * 32);
  for (auto i = size_t{0}; i < bits.size(); ++i) {
    auto mixed = static_cast<uint32_t>(i + static_cast<size_t>(index) * 8192) * 2654435761u;
    bits[i] = static_cast<uint16_t>(0x3000 + (mixed >> 16) % 0x0c00);
  }
  return {std::make_shared<const std::vector<uint16_t>>(std::move(bits))};
}

inline pipeline::version_plan make_plan(const std::string& avatar_id, const std::string& job_id) {
  auto x = pipeline::version_plan{};
  x.job_id = job_id;
  x.avatar_id = avatar_id;
  x.tutor_id = "tutor 1";
  x.engine = "native";
  x.weights = "synthetic";
  x.video_name = "my clip.mp4\nframes: 7";
  x.video_sha256 = std::string(64, 'a');
  x.source.container = "mov,mp4";
  x.source.video_codec = "h264";
  x.source.width = 96;
  x.source.height = 64;
  x.source.duration_s = 0.2;
  x.source.frame_rate = 30.;
  x.source.bytes = 1234;
  return x;
}

/// Frames `[0, count)` in batches of three, and a video.
inline void write_frames(pipeline::version_writer& writer, int64_t count) {
  pipeline::write_file(writer.folder() / "video.mp4", pipeline::bytes_of("the video"));
  for (auto first = int64_t{0}; first < count; first += 3) {
    auto frames = std::vector<pipeline::prepared_frame>{};
    auto latents = std::vector<pipeline::latent>{};
    for (auto i = first; i < std::min(first + 3, count); ++i) {
      frames.push_back(make_frame(i));
      latents.push_back(make_latent(i));
    }
    writer.write(frames, latents);
  }
}

/// The whole way of a version.
inline pipeline::avatar_version publish_version(pipeline::avatar_store& store,
                                                const std::string& avatar_id,
                                                const std::string& job_id, int64_t frames = 4) {
  auto writer = store.begin(make_plan(avatar_id, job_id));
  write_frames(*writer, frames);
  writer->verify();
  return writer->publish();
}

} // namespace musetalk::test
