#pragma once

#include "pipeline/avatar_store.hpp"
#include "pipeline/hashing_file.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace musetalk::pipeline {

/// `manifest.json`: what a version is and what files it has. A folder with a manifest that fits is
/// a whole version; one without is half of one.
struct version_manifest {
  std::string avatar_id;
  std::string tutor_id;
  avatar_version version;
  std::string video_name;
  media_info source;
  std::map<std::string, file_sum> files; ///< By path below the folder; all but the manifest itself.
  face_methods faces;                    ///< Of no meaning in mock mode.
};

/// As JSON text that ends with a newline.
std::string to_json_text(const version_manifest& manifest);

/// Reads a folder's manifest. @throws error `avatar_damaged` when there is none, or it is no
/// manifest of this format.
version_manifest read_manifest(const std::filesystem::path& folder);

/// Compares lengths of the listed files with the disk, without reading them.
/// @throws error `avatar_damaged` with the first file that is missing or differs.
void check_lengths(const std::filesystem::path& folder, const version_manifest& manifest);

/// Bytes on disk: files of several names count once.
uint64_t stored_bytes(const version_manifest& manifest);

/// What MuseTalk itself reads of an avatar's preparation: one line, Python's separators.
std::string avator_info_text(const std::string& avatar_id, const std::string& video_path);

/// `avatar_info.txt`: a `key: value` per line, for people.
std::string avatar_info_text(const version_manifest& manifest);

} // namespace musetalk::pipeline
