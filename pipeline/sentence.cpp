#include "pipeline/sentence.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace musetalk::pipeline {

std::string sentence(const char* format, ...) {
  auto text = std::array<char, 512>{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  return text.data();
}

std::string comma_list(std::span<const std::string> xs) {
  auto result = std::string{};
  for (const auto& x : xs)
    result += (result.empty() ? "" : ", ") + x;
  return result;
}

} // namespace musetalk::pipeline
