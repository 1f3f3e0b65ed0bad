#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// One weight file as operators see it.
struct weight_file {
  std::string path;  ///< Below `MUSETALK_BASE/models`.
  std::string role;  ///< `VAE`, `UNet`, …
  std::string need;  ///< `create`, `create-dwpose`, `create-parsing`, `speak`, `upstream`.
  std::string state; ///< `ok`, `missing`, `truncated`, …
  bool usable = false;
  uint64_t expected_bytes = 0; ///< 0 when unknown.
  uint64_t found_bytes = 0;
  std::string hint;                 ///< What to do; empty when `ok`.
  std::filesystem::path found;      ///< Where it lies, or a twin of it; empty when missing.
  std::string expected_sha256 = {}; ///< Of the published file; empty when unknown.
};

/// Whether avatars can be made, and of what.
struct weights_status {
  std::string mode;                  ///< `real`, `synthetic` or `none` (mock: nothing is computed).
  bool ready = false;                ///< A create job can run.
  std::vector<std::string> problems; ///< `path: state` of what keeps it from being ready.
  std::vector<std::string> speak_problems; ///< The same for a job that speaks.
  std::vector<weight_file> files;          ///< Every file of the layout; empty in mock mode.
};

/// Looks at the folder of weights; cheap enough for every health request.
/// @param mode `real`, `synthetic` or `none`: only `real` needs files.
/// @param face_backend With `dwpose` its files are needed too: who wants it by name gets nothing
/// else in its place.
weights_status look_at_weights(const std::filesystem::path& models_dir, const std::string& mode,
                               const std::string& face_backend = "auto");

} // namespace musetalk::pipeline
