#pragma once

#include "pipeline/face_analysis.hpp"
#include "pipeline/face_parsing.hpp"
#include "tests/pipeline/pictures.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace musetalk::pipeline {

/// Face networks that see a face in the middle of every frame, or what a test says, and remember
/// how much they were asked at once.
struct fake_analysis : face_analysis {
  std::vector<seen_faces> find_faces(std::span<const image> frames) override {
    asked_to_find.push_back(frames.size());
    auto result = std::vector<seen_faces>{};
    for (const auto& x : frames)
      result.push_back(see(x));
    return result;
  }

  std::vector<face_points> locate_points(std::span<const image> frames) override {
    asked_to_locate.push_back(frames.size());
    auto result = std::vector<face_points>{};
    for (const auto& x : frames)
      result.push_back(point_out(x));
    return result;
  }

  std::vector<image> parse_faces(std::span<const image> pictures) override {
    asked_to_parse.push_back(pictures.size());
    for (const auto& x : pictures)
      parsed.push_back(x);
    return {pictures.size(), plain(parsing_size, parsing_size, uint8_t{1}, 1)};
  }

  static box middle_of(const image& x) {
    return {x.width / 4, x.height / 4, x.width * 3 / 4, x.height * 3 / 4};
  }

  std::function<seen_faces(const image&)> see = [](const image& x) {
    return seen_faces{{middle_of(x), 0.9f}};
  };
  std::function<face_points(const image&)> point_out = [](const image& x) {
    auto where = middle_of(x);
    return plain_face(static_cast<float>(where.left), static_cast<float>(where.right),
                      static_cast<float>(x.height / 2), static_cast<float>(where.bottom))
        .landmarks;
  };
  std::vector<size_t> asked_to_find;
  std::vector<size_t> asked_to_locate;
  std::vector<size_t> asked_to_parse;
  std::vector<image> parsed;
};

} // namespace musetalk::pipeline
