#pragma once

#include "pipeline/avatar_store.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace musetalk::pipeline {

/// What stands at `AVATARS_DIR/<avatar_id>`.
enum class occupant {
  nothing,
  link,   ///< A link of ours into the store, whole or dangling.
  folder, ///< A plain folder, not made by this service.
  other,  ///< A file, or a link to elsewhere: not ours to touch.
};

occupant occupant_of(const store_layout& layout, const std::string& avatar_id);

/// Where our link leads, `.store/<avatar_id>/<version>`: relative, so that the folder may be moved.
std::filesystem::path link_target(const std::string& avatar_id, const std::string& version);

/// The version that our link names, whether it exists or not; nothing without a link of ours.
std::optional<std::string> linked_version(const store_layout& layout, const std::string& avatar_id);

/// True for `v000001` and the like, `adopted`, and `adopted_2` and the like.
bool is_version_name(const std::string& name);

/// True for versions that once were plain folders and so have no manifest.
bool is_adopted_name(const std::string& name);

/// Sorts versions from the oldest: adopted ones, then by number.
bool older_version(const std::string& a, const std::string& b);

/// The name after the newest numbered version that the avatar has or had, `v000001` when there
/// never was one. @throws error `storage_failed`.
std::string next_version_name(const store_layout& layout, const std::string& avatar_id);

/// To be called before a version goes: its number is not given again while the avatar is there.
/// @throws error `storage_*`.
void keep_number(const store_layout& layout, const std::string& avatar_id,
                 const std::string& version);

/// `adopted`, or the first of `adopted_2`, … that is free.
std::string free_adopted_name(const store_layout& layout, const std::string& avatar_id);

} // namespace musetalk::pipeline
