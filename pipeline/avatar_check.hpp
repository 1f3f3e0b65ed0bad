#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace musetalk::pipeline {

/// What a folder of frames, masks, boxes and latents holds.
struct folder_facts {
  int64_t entries = 0; ///< Of every list.
  int64_t frames = 0;  ///< Before mirroring; equal to `entries` when they are no palindrome.
  int32_t width = 0;   ///< Pixels of a frame; 0 when it is no PNG.
  int32_t height = 0;
};

/// Reads back what a version holds, as its consumers would: lists of equal length (frames, masks,
/// coords, mask_coords, latents), a palindrome whose second half are the files of the first,
/// complete 8-bit PNGs of one size, masks of the size of their boxes, boxes inside the frame,
/// latents `[1, 8, 32, 32]` fp16 on `cuda:0` with matching checksums and finite values.
/// Memory does not grow with the count of frames.
/// @param frames N, as it was written.
/// @throws error `avatar_damaged` with the first thing that does not hold, `cancelled`.
folder_facts check_written_folder(const std::filesystem::path& folder, int64_t frames,
                                  const std::stop_token& stop = {});

/// Looks whether a folder of unknown origin is a MuseTalk avatar: the same lists, readable and of
/// equal length (upstream leaves latents out for frames without a face). Reads tables of contents,
/// not pictures or values. Executes and changes nothing.
/// @throws error `avatar_damaged` when it is none.
folder_facts inspect_plain_folder(const std::filesystem::path& folder);

} // namespace musetalk::pipeline
