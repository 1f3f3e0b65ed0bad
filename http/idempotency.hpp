#pragma once

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <initializer_list>
#include <string_view>

namespace musetalk::http {

/// The header `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a string in
/// quotes, or bare; 1 to 255 printable characters of ASCII. Without its fingerprint yet.
/// @returns an empty key when the header is absent.
/// @throws error `request_field_invalid`, `request_field_duplicate`.
pipeline::request_key idempotency_key_of(const request& in);

/// The key with the fingerprint of its request: method, path and what matters of the body. Without
/// a key nothing is computed.
pipeline::request_key sealed(pipeline::request_key key, const request& in,
                             std::initializer_list<std::string_view> body);

} // namespace musetalk::http
