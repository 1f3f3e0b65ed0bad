#include "http/idempotency.hpp"

#include "errors/error.hpp"
#include "pipeline/sha256.hpp"

#include <algorithm>
#include <span>

namespace musetalk::http {

namespace {

constexpr size_t max_key_bytes = 255;

bool plain(char c) {
  return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

} // namespace

pipeline::request_key idempotency_key_of(const request& in) {
  if (in.headers.count("Idempotency-Key") == 0)
    return {};
  if (in.headers.count("Idempotency-Key") > 1)
    throw error{errc::request_field_duplicate, "Idempotency-Key comes twice."};
  auto text = in.headers.get("Idempotency-Key");
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > max_key_bytes || !std::ranges::all_of(text, plain))
    throw error{errc::request_field_invalid,
                "Idempotency-Key must be 1 to " + std::to_string(max_key_bytes) +
                    " printable characters without spaces, such as a UUID, in quotes or bare."};
  auto result = pipeline::request_key{};
  result.key = text;
  return result;
}

pipeline::request_key sealed(pipeline::request_key key, const request& in,
                             std::initializer_list<std::string_view> body) {
  if (key.key.empty())
    return key;
  auto hash = pipeline::sha256{};
  auto add = [&](std::string_view part) {
    // With its length, so that no two lists of parts look the same.
    auto text = std::to_string(part.size()) + ":" + std::string{part};
    hash.update(std::as_bytes(std::span{text}));
  };
  add(in.method);
  add(in.path);
  for (auto part : body)
    add(part);
  key.fingerprint = hash.finish();
  return key;
}

} // namespace musetalk::http
