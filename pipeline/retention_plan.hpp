#pragma once

#include "pipeline/job.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::pipeline {

/// What the operator wants kept. Everything at 0 keeps everything.
struct retention_policy {
  uint32_t keep_versions = 0; ///< Of an avatar, the current one among them; 0: all.
  timestamp_us expire_us = 0; ///< An avatar that nobody used for so long goes; 0: never.
  uint64_t max_bytes = 0;     ///< Of the whole store; 0: no limit.
  /// A version stays for so long after it was replaced, an avatar after its last use: somebody may
  /// still read it.
  timestamp_us grace_us = 0;
};

/// Why something goes.
enum class retention_reason : uint8_t {
  surplus = 1, ///< More versions than are kept.
  unused,      ///< Nobody used the avatar for too long.
  room,        ///< The store is larger than its limit, and this was used the longest ago.
};

std::string_view to_string(retention_reason x) noexcept;

/// One thing that goes.
struct retention_removal {
  std::string avatar_id;
  std::string version; ///< Empty: the avatar with all its versions.
  uint64_t bytes = 0;
  retention_reason reason = retention_reason::surplus;
  std::string detail;  ///< For people: measured value and limit.
  std::string failure; ///< Why it did not go after all; empty when it went, or was not tried.
};

/// What goes, in the order in which it goes, and what that does to the store.
struct retention_plan {
  timestamp_us at_us = 0;
  std::vector<retention_removal> removals;
  uint64_t bytes = 0;      ///< Of the store before.
  uint64_t bytes_kept = 0; ///< After all removals.
  uint64_t max_bytes = 0;  ///< As in the policy.
  bool applied = false;    ///< It was carried out; else it only says what would be.
};

/// Decides what goes. First versions beyond `keep_versions`, the oldest first; then avatars unused
/// for too long; then, while the store is too large, old versions by the time they were replaced,
/// and after them whole avatars by their last use. Nothing goes of a pinned avatar, of one in
/// `busy`, of one that is still within its grace time; the current version never goes alone.
/// Decides by its arguments only; equal input gives an equal plan.
/// @param busy Avatars with a job that has not ended, or that are being removed.
/// @param now Of the same clock as the avatars' times.
retention_plan plan_retention(std::span<const avatar> avatars, const std::set<std::string>& busy,
                              const retention_policy& policy, timestamp_us now);

} // namespace musetalk::pipeline
