#pragma once

#include "models/checkpoint/json_reader.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::models::testing {

/// Folder of the golden files: `tests/golden`, or the one named by the environment variable
/// `GOLDENS_DIR`, which may hold other cases in the same format.
std::filesystem::path goldens();

/// Folders below `goldens()/<network>` that hold a `manifest.json`; `full` only when asked for.
/// Sorted.
std::vector<std::filesystem::path> golden_cases(const std::string& network);

/// `manifest.json` of a folder.
json_value manifest(const std::filesystem::path& folder);

/// The text of a file.
std::string text_of(const std::filesystem::path& file);

} // namespace musetalk::models::testing
