#include "http/origin.hpp"

#include "errors/error.hpp"

#include <algorithm>

namespace musetalk::http {

namespace {

/// Host and port without the port that the scheme has anyway.
std::string_view plain_host(std::string_view host, std::string_view usual_port) {
  return host.ends_with(usual_port) ? host.substr(0, host.size() - usual_port.size()) : host;
}

/// Whether a page of that origin came from that host.
bool is_own(std::string_view origin, std::string_view host) {
  auto secure = origin.starts_with("https://");
  if (host.empty() || (!secure && !origin.starts_with("http://")))
    return false;
  auto port = std::string_view{secure ? ":443" : ":80"};
  origin.remove_prefix(origin.find("//") + 2);
  return equals_ignoring_case(plain_host(origin, port), plain_host(host, port));
}

} // namespace

void require_own_origin(const request& in, std::span<const std::string> allowed) {
  auto count = in.headers.count("Origin");
  if (count == 0)
    return;
  auto origin = in.headers.get("Origin");
  auto listed = std::ranges::any_of(
      allowed, [&](const std::string& x) { return x == "*" || equals_ignoring_case(x, origin); });
  if (count > 1 || (!listed && !is_own(origin, in.headers.get("Host"))))
    throw error{errc::origin_forbidden, "A page of another site may not open a socket here."};
}

} // namespace musetalk::http
