#pragma once

#include "pipeline/avatar_store.hpp"

#include <string>

namespace musetalk::pipeline {

/// `.staging/<avatar_id>.link` is the link that a publication is about to put in place.
inline const std::string fresh_link_suffix = ".link";

/// Moves a complete, synced staging folder into the store and switches the avatar's link to it.
/// A plain folder of the avatar's name becomes its version `adopted` first.
///
/// After a crash at any point the avatar is what it was before or what it is afterwards; `recover`
/// removes what else is left. On an exception what was done is undone.
/// @throws error `storage_*`.
void place_version(const store_layout& layout, const std::string& job_id,
                   const std::string& avatar_id, const std::string& version);

/// Makes a version that is in the store the current one. A plain folder of the avatar's name
/// becomes its version `adopted` first. @throws error `version_not_found`, `storage_*`.
void make_current(const store_layout& layout, const std::string& avatar_id,
                  const std::string& version);

/// Makes the avatar's link name `version`, in one step for who reads it. @throws error `storage_*`.
void switch_link(const store_layout& layout, const std::string& avatar_id,
                 const std::string& version);

} // namespace musetalk::pipeline
