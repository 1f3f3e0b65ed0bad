#pragma once

#include "pipeline/avatar_store.hpp"
#include "pipeline/disk_budget.hpp"

#include <memory>

namespace musetalk::pipeline {

/// The writer of `open_avatar_store`'s versions: makes an empty staging folder.
/// @param layout Outlives the writer. Its folders exist.
/// @param budget Learns how large pictures become; may be null.
/// @param room What the version has claimed there; given back with the writer. May be null.
/// @throws error `storage_*`.
std::unique_ptr<version_writer>
make_version_writer(const store_layout& layout, const version_plan& plan,
                    const std::shared_ptr<disk_budget>& budget = nullptr,
                    std::unique_ptr<disk_budget::claim> room = nullptr);

} // namespace musetalk::pipeline
