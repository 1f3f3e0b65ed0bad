#include "http/message.hpp"

#include <algorithm>

namespace musetalk::http {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

} // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

void header_list::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void header_list::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const field& x) { return equals_ignoring_case(x.first, name); });
  add(std::move(name), std::move(value));
}

const std::string* header_list::find(std::string_view name) const noexcept {
  auto at = std::ranges::find_if(
      fields_, [&](const field& x) { return equals_ignoring_case(x.first, name); });
  return at == fields_.end() ? nullptr : &at->second;
}

std::string_view header_list::get(std::string_view name) const noexcept {
  auto value = find(name);
  return value ? std::string_view{*value} : std::string_view{};
}

size_t header_list::count(std::string_view name) const noexcept {
  return static_cast<size_t>(std::ranges::count_if(
      fields_, [&](const field& x) { return equals_ignoring_case(x.first, name); }));
}

std::string_view request::query_value(std::string_view key) const noexcept {
  auto at = query.find(key);
  return at == query.end() ? std::string_view{} : std::string_view{at->second};
}

std::string_view request::param(std::string_view name) const noexcept {
  auto at = params.find(name);
  return at == params.end() ? std::string_view{} : std::string_view{at->second};
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
  case 100:
    return "Continue";
  case 101:
    return "Switching Protocols";
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 206:
    return "Partial Content";
  case 301:
    return "Moved Permanently";
  case 302:
    return "Found";
  case 303:
    return "See Other";
  case 304:
    return "Not Modified";
  case 307:
    return "Temporary Redirect";
  case 308:
    return "Permanent Redirect";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 411:
    return "Length Required";
  case 412:
    return "Precondition Failed";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 423:
    return "Locked";
  case 426:
    return "Upgrade Required";
  case 428:
    return "Precondition Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 499:
    return "Client Closed Request";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  case 507:
    return "Insufficient Storage";
  default:
    return {};
  }
}

} // namespace musetalk::http
