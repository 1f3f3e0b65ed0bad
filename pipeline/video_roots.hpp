#pragma once

#include "pipeline/file_ops.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace musetalk::pipeline {

/// A video below a configured root, open for reading.
struct rooted_video {
  std::filesystem::path path; ///< Absolute, without links.
  file handle;
  uint64_t bytes = 0;
};

/// Opens the file that a client named, which must lie below one of the roots without leaving them
/// by `..` or by links: links are followed as long as what they lead to lies below a root. What is
/// open in the end was reached without following any link, so a link put there meanwhile leads
/// nowhere.
/// @param roots Absolute, or relative to the working folder; those that do not exist are skipped.
/// @param user_path Absolute, or relative to a root (the first in which it exists).
/// @throws error `video_path_forbidden`, also without any root; `video_path_not_found` for a path
/// below a root at which there is no plain file; `request_field_invalid` for an empty or overlong
/// path. The detail tells nothing about what exists outside of the roots.
rooted_video open_below(std::span<const std::filesystem::path> roots, const std::string& user_path);

} // namespace musetalk::pipeline
