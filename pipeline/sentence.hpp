#pragma once

#include <span>
#include <string>

namespace musetalk::pipeline {

/// A sentence for a client, as printf makes it; at most 511 bytes.
[[gnu::format(printf, 1, 2)]] std::string sentence(const char* format, ...);

/// `a, b, c`.
std::string comma_list(std::span<const std::string> xs);

} // namespace musetalk::pipeline
