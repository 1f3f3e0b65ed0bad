#include "http/gate/upgrade.hpp"

#include <algorithm>

#include "errors/error.hpp"

namespace musetalk::http::gate {
namespace {

/// Whether a field that is a list, given once or more often, has that element.
bool has_element(const header_list& headers, std::string_view name, std::string_view wanted) {
  for (auto& [field, value] : headers) {
    if (!equals_ignoring_case(field, name))
      continue;
    for (auto rest = std::string_view{value}; !rest.empty();) {
      auto one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
      one = one.substr(0, one.find_last_not_of(" \t") + 1);
      if (equals_ignoring_case(one, wanted))
        return true;
    }
  }
  return false;
}

/// 16 bytes in base64.
bool is_key(std::string_view text) {
  auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
           c == '/';
  };
  return text.size() == 24 && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, 22), allowed);
}

} // namespace

void check_upgrade(const request& in, int minor) {
  auto& headers = in.headers;
  if (in.method != "GET" || minor != 1 || !has_element(headers, "Upgrade", "websocket") ||
      !has_element(headers, "Connection", "upgrade"))
    throw error(errc::upgrade_required, "This path speaks WebSocket only; the request asks for "
                                        "no upgrade to it.");
  if (headers.get("Sec-WebSocket-Version") != "13")
    throw error(errc::upgrade_required,
                "The only WebSocket version spoken is 13; Sec-WebSocket-Version names another, or "
                "none.");
  if (headers.count("Sec-WebSocket-Version") != 1 || headers.count("Sec-WebSocket-Key") != 1 ||
      !is_key(headers.get("Sec-WebSocket-Key")))
    throw error(errc::request_malformed,
                "A WebSocket needs one Sec-WebSocket-Version and one Sec-WebSocket-Key of 16 bytes "
                "in base64.");
  if (!in.body.empty())
    throw error(errc::request_malformed, "A request for a WebSocket has no body.");
}

} // namespace musetalk::http::gate
