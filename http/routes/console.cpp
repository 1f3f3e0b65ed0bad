#include "http/console_files.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"

namespace musetalk::http {

namespace {

/// Scripts and styles come from files of ours and nowhere else, and text can never become a script.
constexpr auto policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

response file_response(const console_file& x, const request& in) {
  auto result = response{};
  result.headers.add("Content-Type", std::string{x.type});
  result.headers.add("Content-Security-Policy", policy);
  result.headers.add("X-Content-Type-Options", "nosniff");
  result.headers.add("Referrer-Policy", "no-referrer");
  result.headers.add("Cache-Control", "no-cache");
  result.headers.add("ETag", std::string{x.tag});
  if (in.headers.get("If-None-Match") == x.tag) {
    result.status = 304;
    return result;
  }
  result.body = x.text;
  return result;
}

void answer(const exchange_ptr& x, std::string_view name) {
  auto found = find_console_file(name);
  if (!found)
    throw error{errc::route_not_found, "The console has no such file."};
  x->respond(file_response(*found, x->in()));
}

} // namespace

void add_console_routes(router& to) {
  auto limits = route_limits{0};
  to.add("GET", "/console", limits, [](exchange_ptr x) {
    require_known_query(x->in(), {});
    answer(x, "index.html");
  });
  to.add("GET", "/console/:file", limits, [](exchange_ptr x) {
    require_known_query(x->in(), {});
    answer(x, std::string{x->in().param("file")});
  });
}

} // namespace musetalk::http
