#include "pipeline/work_options.hpp"

#include "pipeline/sha256.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <string_view>

namespace musetalk::pipeline {

namespace {

/// Grows whenever a change of this program changes what it makes of the same video.
constexpr auto work_revision = std::string_view{"1"};

/// With its length, so that no two lists of parts look the same.
void add(sha256& hash, std::string_view part) {
  auto text = std::to_string(part.size()) + ":" + std::string{part};
  hash.update(std::as_bytes(std::span{text}));
}

std::string exact(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", x);
  return text;
}

} // namespace

std::string options_key(const work_options& x, bool apply_blur) {
  auto hash = sha256{};
  add(hash, work_revision);
  add(hash, x.engine);
  add(hash, x.weights);
  add(hash, x.x264_preset);
  add(hash, std::to_string(x.video_kbps));
  add(hash, exact(x.max_damaged_share));
  add(hash, apply_blur ? exact(x.blur_strength) : "sharp");
  if (x.engine != "mock") {
    add(hash, x.models);
    add(hash, to_string(x.faces.backend));
    add(hash, to_string(x.faces.mask));
    add(hash, to_string(x.faces.mode));
    add(hash, std::to_string(x.max_gap_frames));
  }
  return hash.finish();
}

std::string identity_of(std::span<const std::filesystem::path> files) {
  auto hash = sha256{};
  for (const auto& file : files) {
    struct stat status {};
    auto there = ::stat(file.c_str(), &status) == 0;
    add(hash, file.filename().string());
    add(hash, there ? std::to_string(status.st_size) : "missing");
    add(hash, std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec));
  }
  return hash.finish();
}

} // namespace musetalk::pipeline
