#pragma once

// Values from outside, checked one by one. Everything here throws `error` with a `request_*` or
// `avatar_id_invalid` code whose detail names the field, what was found and what is allowed, and
// never repeats a value.

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace musetalk::http {

/// Most bytes of a tutor id.
inline constexpr size_t max_tutor_id_bytes = 128;

/// Refuses a field: `name`, a space, `rule`, a full stop. @throws error `request_field_invalid`.
[[noreturn]] void refuse_field(std::string_view name, const std::string& rule);

/// `true`, `false`, `1` or `0`; words in any case.
bool yes_no_field(std::string_view name, std::string_view text);

/// The same for a key of the query; false without it.
bool yes_no_query(const request& in, std::string_view name);

/// A whole number of `[least, most]`.
int64_t whole_field(std::string_view name, std::string_view text, int64_t least, int64_t most);

/// The id of an avatar, a job or an upload.
std::string avatar_id_field(std::string_view text);

/// Free text of at most `max_tutor_id_bytes`: UTF-8 without control characters.
std::string tutor_id_field(std::string_view text);

/// `high`, `normal` or `low`.
pipeline::job_priority priority_field(std::string_view text);

/// Keys of the query of every call that makes a job: `wait`, `priority`, `force`.
inline const std::initializer_list<std::string_view> job_query = {"wait", "priority", "force"};

/// Takes `?priority=` and `?force=` into the request, where they are given.
void take_job_query(pipeline::job_request& to, const request& in);

/// Refuses query keys that are not in the list, and any given twice.
void require_known_query(const request& in, std::initializer_list<std::string_view> known);

/// `?limit=` (1 to 1000, default 100) and `?cursor=`.
pipeline::page_request page_of(const request& in);

/// How long the client wants to wait: `?wait=SECONDS`, else `Prefer: wait=SECONDS` (RFC 7240).
/// The query beyond `most` is refused; the header, being a wish, is cut to it, and ignored when it
/// makes no sense. Nothing when neither is there or it is 0.
std::optional<std::chrono::seconds> wait_of(const request& in, std::chrono::seconds most);

} // namespace musetalk::http
