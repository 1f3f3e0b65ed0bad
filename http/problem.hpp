#pragma once

#include "errors/error.hpp"
#include "http/message.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>

namespace musetalk::http {

/// What clients are told of a code, whoever raised it.
struct problem {
  errc code;
  int status;             ///< HTTP.
  std::string_view title; ///< The same for every occurrence.
  std::string_view hint;  ///< What a person can do about it.
  int retry_after_s = 0;  ///< Seconds; 0 when trying again is of no use.
};

/// Every code, in the order of the enum. The one place that knows statuses.
std::span<const problem> problem_table();

/// The row of a code; `internal`'s for one that the table lacks (a test says there is none).
const problem& problem_of(errc code) noexcept;

/// An RFC 9457 object: `{type, title, status, detail, code, hint, request_id}`.
/// @param detail The public sentence of the error; the title when empty.
nlohmann::ordered_json problem_json(errc code, std::string_view detail,
                                    std::string_view request_id);

/// An answer of `application/problem+json` around an object of `problem_json`, which may have got
/// more members. Has `Retry-After` where trying again helps.
response problem_response(errc code, const nlohmann::ordered_json& body);

/// The answer to an error: what `router::on_error` wants. Never shows `what()`.
response render_problem(const error& what, const request& in);

} // namespace musetalk::http
