#pragma once

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace musetalk::http {

/// Most bytes of a `video_path`.
inline constexpr size_t max_video_path_bytes = 4096;

/// The body of `POST /mgmt/v1/avatars/create`: a flat JSON object with texts `avatar_id` and
/// `video_path`, and optionally `apply_blur` and `force` (true or false), `priority` (text) and
/// `tutor_id` (text or whole number). `?priority=` and `?force=` do the same.
/// Strict: unknown and duplicate members are refused, and so is any other type.
/// `video_path` is as the client sent it: not yet resolved.
pipeline::job_request create_request_of(const request& in);

/// The same of a body that came by itself. @param only_examined Then `avatar_id` may be absent.
pipeline::job_request create_request_of(const request& in, std::string_view text,
                                        bool only_examined);

/// Whether the head says that the body is JSON.
bool has_json_body(const request& in);

/// Reads a flat JSON object of at most 64 members and 8 levels. Later code sees nested values but
/// not their contents.
/// @throws error `request_malformed`, `request_field_duplicate`.
nlohmann::json flat_object_of(std::string_view text);

} // namespace musetalk::http
