#pragma once

// Texts from outside: what they may hold, and how they are shown.

#include <initializer_list>
#include <string>
#include <string_view>

namespace musetalk::http {

/// Whether a byte below 0x20 or 0x7f is among them.
bool has_control_characters(std::string_view text);

/// Well-formed UTF-8 (RFC 3629) without control characters.
bool is_plain_text(std::string_view text);

/// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// A file name for display: the last part of what the client sent, control characters and broken
/// UTF-8 replaced, at most 255 bytes. Never throws for hostile text.
std::string display_name(std::string_view sent);

/// The name of a field as the client sent it, made safe and short, in quotes.
std::string quoted_name(std::string_view sent);

/// `a, b, c`; `none` for none.
std::string comma_list(std::initializer_list<std::string_view> names);

} // namespace musetalk::http
