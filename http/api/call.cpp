#include "http/api/call.hpp"

#include "http/problem.hpp"

namespace musetalk::http::api {

namespace {

std::vector<errc> joined(std::vector<errc> x, std::initializer_list<errc> more) {
  x.insert(x.end(), more);
  return x;
}

} // namespace

calls all_calls() {
  auto result = calls{};
  for (auto part : {avatar_calls, version_calls, video_calls, job_calls, event_calls, health_calls,
                    document_calls, operator_calls, store_calls, keeping_calls})
    for (auto& x : part())
      result.push_back(std::move(x));
  return result;
}

content json_of(std::string_view name) {
  return {"application/json", named(name)};
}

parameter limit() {
  auto what = whole("Most entries of the page; 100 without it.");
  what["minimum"] = 1;
  what["maximum"] = 1000;
  return {"limit", std::move(what)};
}

parameter cursor() {
  return {"cursor", text("`next_cursor` of the page before.")};
}

parameter wait() {
  auto what = whole("Seconds that the answer may be held back for the end of the job.");
  what["minimum"] = 0;
  return {"wait", std::move(what)};
}

parameter prefer_wait() {
  return {"Prefer", text("`wait=SECONDS`, as a wish (RFC 7240)."), parameter::place::header};
}

parameter priority() {
  return {"priority", words({"high", "normal", "low"}, "Worth ten minutes of waiting.")};
}

parameter force() {
  return {"force", yes_no("Makes it anew though the same was made before.")};
}

parameter idempotency_key() {
  return {"Idempotency-Key", text("Requests with the same key have one effect."),
          parameter::place::header};
}

parameter if_match() {
  return {"If-Match", text("`ETag` of the state that is to be changed."), parameter::place::header};
}

const std::vector<errc>& common_errors() {
  static const auto result = std::vector{
      errc::request_malformed, errc::request_field_unknown, errc::request_field_duplicate,
      errc::request_too_large, errc::request_timeout,       errc::stopping,
      errc::internal};
  return result;
}

std::vector<errc> asking(std::initializer_list<errc> more) {
  return joined({errc::timeout, errc::catalog_failed, errc::request_field_invalid}, more);
}

std::vector<errc> making_a_job(std::initializer_list<std::string_view> subjects,
                               std::initializer_list<errc> more) {
  auto result = asking(
      {errc::request_field_missing, errc::avatar_id_invalid, errc::request_media_type,
       errc::key_reused, errc::key_in_use, errc::queue_full, errc::cancelled, errc::worker_died,
       errc::attempts_exhausted, errc::avatar_damaged, errc::models_missing, errc::models_invalid,
       errc::device_busy, errc::device_lost, errc::device_out_of_memory, errc::device_failed,
       errc::storage_full, errc::storage_failed});
  // Those of a path, and of a video that an avatar made, belong to other calls.
  auto other = [](errc x) {
    return x == errc::video_path_forbidden || x == errc::video_path_not_found ||
           x == errc::audio_path_forbidden || x == errc::audio_path_not_found ||
           x == errc::video_not_found;
  };
  for (const auto& x : problem_table())
    for (auto subject : subjects)
      if (to_string(x.code).starts_with(subject) && !other(x.code))
        result.push_back(x.code);
  return joined(std::move(result), more);
}

} // namespace musetalk::http::api
