#pragma once

// What each route takes and answers, said once: `/openapi.json` is made of it, and tests hold the
// router, the routes and the answers of the running service to it.

#include "errors/error.hpp"
#include "http/api/shape.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::http::api {

/// A value beside the path: in the query, or in a header.
struct parameter {
  enum class place { query, header };
  std::string_view name;
  shape what; ///< Its description is the parameter's.
  place where = place::query;
};

/// A body, of a request or an answer.
struct content {
  std::string_view type; ///< Empty: none.
  shape what;            ///< Null for bytes.
};

/// An answer that is no error.
struct answer {
  int status = 200;
  std::string_view meaning;
  content body;
  std::vector<std::string_view> headers; ///< Of `known_headers`.
};

/// One method of one path.
struct call {
  std::string_view method;
  std::string_view path; ///< As the router has it: `/mgmt/v1/avatars/:id`.
  std::string_view id;   ///< `listAvatars`.
  std::string_view tag;
  std::string_view summary;
  std::vector<parameter> parameters; ///< Those of the path apart.
  std::vector<content> body;         ///< The forms it may have; none: no body.
  std::vector<answer> answers;
  std::vector<errc> errors; ///< Beside those of every call.
};

using calls = std::vector<call>;

// -- by subject; beside the routes ---------------------------------------------

calls avatar_calls();
calls version_calls();
calls video_calls();
calls job_calls();
calls event_calls();
calls health_calls();
calls document_calls();
calls operator_calls();
calls store_calls();
calls keeping_calls();

/// All of them.
calls all_calls();

// -- words ---------------------------------------------------------------------

content json_of(std::string_view name);

/// `?limit=` and `?cursor=`.
parameter limit();
parameter cursor();

/// `?wait=`, `Prefer: wait=`.
parameter wait();
parameter prefer_wait();

/// `?priority=`, `?force=`.
parameter priority();
parameter force();

/// `Idempotency-Key`.
parameter idempotency_key();

/// `If-Match`.
parameter if_match();

/// Codes that every route may answer, and what asking the REGISTRY may add to them.
const std::vector<errc>& common_errors();
std::vector<errc> asking(std::initializer_list<errc> more);

/// What a new job may meet, what may go wrong with it, and everything that may be wrong with its
/// video or sound. @param subjects First parts of codes: `video.`.
std::vector<errc> making_a_job(std::initializer_list<std::string_view> subjects,
                               std::initializer_list<errc> more);

} // namespace musetalk::http::api
