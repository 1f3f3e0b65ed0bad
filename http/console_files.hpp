#pragma once

#include <optional>
#include <string_view>

namespace musetalk::http {

/// A file of the web console, kept in the program.
struct console_file {
  std::string_view name;
  std::string_view type; ///< Of its content.
  std::string_view tag;  ///< In quotes; another for other contents.
  std::string_view text;
};

/// Nothing when there is none. The files of `console/` become part of the program when it is built.
std::optional<console_file> find_console_file(std::string_view name);

} // namespace musetalk::http
