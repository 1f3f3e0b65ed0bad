#pragma once

#include "pipeline/avatar_store.hpp"

#include <memory>

namespace musetalk::pipeline {

/// The writer of `open_avatar_store`'s versions: makes an empty staging folder.
/// @param layout Outlives the writer. Its folders exist.
/// @throws error `storage_*`.
std::unique_ptr<version_writer> make_version_writer(const store_layout& layout,
                                                    const version_plan& plan);

} // namespace musetalk::pipeline
