#pragma once

// Values from outside, checked one by one. Everything here throws `error` with a `request_*` or
// `avatar_id_invalid` code whose detail names the field, what was found and what is allowed, and
// never repeats a value.

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace musetalk::http {

/// Most bytes of a tutor id.
inline constexpr size_t max_tutor_id_bytes = 128;

/// Most bytes of a `video_path`.
inline constexpr size_t max_video_path_bytes = 4096;

/// `true`, `false`, `1` or `0`; words in any case.
bool yes_no_field(std::string_view name, std::string_view text);

/// A whole number of `[least, most]`.
int64_t whole_field(std::string_view name, std::string_view text, int64_t least, int64_t most);

/// The id of an avatar, a job or an upload.
std::string avatar_id_field(std::string_view text);

/// Free text of at most `max_tutor_id_bytes`: UTF-8 without control characters.
std::string tutor_id_field(std::string_view text);

/// A file name for display: the last part of what the client sent, control characters and broken
/// UTF-8 replaced, at most 255 bytes. Never throws for hostile text.
std::string display_name(std::string_view sent);

/// The name of a field as the client sent it, made safe and short, in quotes.
std::string quoted_name(std::string_view sent);

/// Refuses query keys that are not in the list, and any given twice.
void require_known_query(const request& in, std::initializer_list<std::string_view> known);

/// `?limit=` (1 to 1000, default 100) and `?cursor=`.
pipeline::page_request page_of(const request& in);

/// How long the client wants to wait: `?wait=SECONDS`, else `Prefer: wait=SECONDS` (RFC 7240).
/// The query beyond `most` is refused; the header, being a wish, is cut to it, and ignored when it
/// makes no sense. Nothing when neither is there or it is 0.
std::optional<std::chrono::seconds> wait_of(const request& in, std::chrono::seconds most);

/// The body of `POST /mgmt/v1/avatars/create`: a flat JSON object with texts `avatar_id` and
/// `video_path`, and optionally `apply_blur` (true or false) and `tutor_id` (text or whole number).
/// Strict: unknown and duplicate members are refused, and so is any other type.
/// `video_path` is as the client sent it: not yet resolved.
pipeline::job_request create_request_of(const request& in);

/// Reads a flat JSON object of at most 64 members and 8 levels. Later code sees nested values but
/// not their contents.
/// @throws error `request_malformed`, `request_field_duplicate`.
nlohmann::json flat_object_of(std::string_view text);

} // namespace musetalk::http
