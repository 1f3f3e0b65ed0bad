#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// What a weight file looks like without reading it whole.
enum class weight_state : uint8_t {
  ok,           ///< Of the published size and kind.
  unknown_size, ///< Well-formed, but not the published file: fine-tuned, or a smaller member of the
                ///< family.
  missing,      ///< Not there.
  truncated,    ///< Ends before its own structure or the published size says.
  wrong,        ///< Some other file.
  git_lfs_pointer, ///< The text stub that `git clone` leaves without git-lfs.
  html,            ///< A web page saved instead of the file.
  unreadable,      ///< There, but may not be opened.
};

/// `ok`, `missing`, `git-lfs pointer`, ...
std::string_view to_string(weight_state x) noexcept;

/// Which work needs a file.
enum class weight_need : uint8_t {
  create,         ///< Making an avatar.
  create_dwpose,  ///< Making an avatar with face backend `dwpose`; without it `mediapipe` is used.
  create_parsing, ///< Making an avatar with BiSeNet masks; without it the mesh polygon is used.
  speak,          ///< Making an avatar speak.
  upstream,       ///< Read by upstream's own programs only (engine `upstream`).
};

/// `create`, `create-dwpose`, ...
std::string_view to_string(weight_need x) noexcept;

/// One file of the table of known weights.
struct weight_file {
  std::string path; ///< Below `models_dir`, with `/`.
  std::string role; ///< For people: `VAE`, `face parsing (BiSeNet)`, ...
  weight_need need = weight_need::create;
  uint64_t expected_bytes = 0; ///< Published size; 0 when unknown.
  std::string expected_sha256; ///< Lower-case hex of the published file, of the twin's when that
                               ///< was found; empty when unknown.
  uint64_t found_bytes = 0;    ///< 0 when missing.
  weight_state state = weight_state::missing;
  std::string found_path = {}; ///< Below `models_dir`; differs from `path` when a twin was found
                               ///< (`.safetensors`).
  std::string hint = {};       ///< What to do; empty when `ok`.
};

/// The state of a folder of weights.
struct weights_report {
  std::vector<weight_file> files;

  /// Whether every file of that need is usable (`ok` or `unknown_size`).
  bool ready_for(weight_need need) const;

  /// `path: state` of the files of that need that are not usable.
  std::vector<std::string> problems(weight_need need) const;
};

/// Looks at every file of the MuseTalk v1.5 layout: size, first and last bytes. Reads a few kB per
/// file, so it is cheap enough for start-up and for `/readyz`. Never throws for a bad or absent
/// folder: the report says it.
weights_report inspect_weights(const std::filesystem::path& models_dir);

/// SHA-256 of a file as lower-case hex, by reading all of it: seconds per GB.
/// @throws musetalk::error `models_missing` when it cannot be opened or read.
std::string sha256_of_file(const std::filesystem::path& file);

} // namespace musetalk::models
