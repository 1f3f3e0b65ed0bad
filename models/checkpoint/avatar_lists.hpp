#pragma once

#include "models/latent_encoder.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::models {

/// One entry of `coords.pkl` or `mask_coords.pkl`: left, top, right, bottom in frame pixels,
/// end-exclusive. May reach out of the frame.
struct listed_box {
  std::array<int64_t, 4> edges{};
  bool placeholder = false; ///< Upstream's `(0.0, 0.0, 0.0, 0.0)`: no face in that frame.
};

/// Reads a pickled list of boxes as MuseTalk and LiveTalking write it: lists or tuples of four
/// Python or numpy integers. Nothing is executed.
/// @throws musetalk::error `avatar_damaged` when it is absent, damaged, hostile, or holds anything
/// else.
std::vector<listed_box> read_box_list(const std::filesystem::path& file);

/// What `latents.pt` holds.
struct listed_latents {
  std::vector<latent> items; ///< In list order; entries that share a storage are repeated.
  std::string location; ///< Device tag of the first, such as `cuda:0`; empty for an empty list.
};

/// Reads `latents.pt`: a list or tuple of `[1, 8, 32, 32]` fp16 tensors.
/// @throws musetalk::error `avatar_damaged` like `read_box_list`, also for other types and shapes.
listed_latents read_latent_list(const std::filesystem::path& file);

} // namespace musetalk::models
