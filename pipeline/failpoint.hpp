#pragma once

#include "pipeline/file_ops.hpp"

#include <filesystem>

namespace musetalk::pipeline {

/// A named place of a step that changes the disk or the catalog: `publish.switch`. Here the test
/// server (`tests/service/failpoints.cpp`) may end its process, or say with which errno the step is
/// to fail. In every other program this is an empty function: nothing can arm it.
/// @param part Appended to the name.
/// @returns 0: go on.
int failpoint(const char* name, const char* part = "") noexcept;

/// The same, and fails as the step itself would. @throws error `storage_*`.
inline void disk_step(const char* name, const std::filesystem::path& where) {
  if (auto reason = failpoint(name); reason != 0)
    throw_storage_error(reason, "a step that a test made fail", where);
}

} // namespace musetalk::pipeline
