#pragma once

#include "pipeline/job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace musetalk::pipeline {

/// True for `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`: what may name an avatar, a job or an upload, and so
/// a folder. Excludes separators, dots, control characters and everything beyond ASCII.
bool is_id(std::string_view text) noexcept;

/// @throws error `avatar_id_invalid` when `text` is no id. The text itself is not repeated.
void require_avatar_id(std::string_view text);

/// 26 characters: 48 bits of milliseconds, 80 bits of chance, Crockford's base 32 in lower case
/// (the ULID layout). Ids of one process grow strictly, ids of several sort by their millisecond.
/// Thread-safe.
std::string new_job_id();
std::string new_upload_id();

/// When an id of the two above was made, to the millisecond; nothing for any other text.
std::optional<timestamp_us> made_at(std::string_view id) noexcept;

/// `v000001` for 1. @param number At least 1.
std::string version_name(uint32_t number);

/// The number of `version_name`; nothing for any other text, `adopted` among them.
std::optional<uint32_t> version_number(std::string_view name) noexcept;

} // namespace musetalk::pipeline
