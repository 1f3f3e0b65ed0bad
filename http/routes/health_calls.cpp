#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"health"};

} // namespace

calls health_calls() {
  return {
      {"GET",
       "/livez",
       "live",
       tag,
       "Whether the process reads requests",
       {},
       {},
       {{200, "It does.", json_of("Alive"), {}}},
       {}},
      {"GET",
       "/readyz",
       "ready",
       tag,
       "Whether avatars can be made",
       {},
       {},
       {{200, "They can.", json_of("Ready"), {}}},
       asking({errc::models_missing, errc::device_busy})},
      {"GET",
       "/health",
       "health",
       tag,
       "The state of everything",
       {},
       {},
       {{200, "As it is.", json_of("Health"), {}}},
       asking({})},
  };
}

} // namespace musetalk::http::api
