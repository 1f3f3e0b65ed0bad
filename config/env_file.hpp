#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::config {

/// `KEY=value` as found somewhere.
struct assignment {
  std::string key;
  std::string value;
  std::string where; ///< For messages: `.env:12`, `environment`, `--queue-limit`.
};

/// Reads the text of a `.env` file.
///
/// A line is empty, a comment (`# ...`), or `[export] KEY=VALUE` with a key of letters, digits and
/// `_`. The value is bare (it ends at white space + `#`), in 'single quotes' (nothing is special),
/// or in "double quotes" (`\"`, `\\`, `\$`, `\n`, `\t` are escapes). Line ends may be CRLF, a UTF-8
/// byte order mark is skipped. Variables are not expanded. A key given twice: the last one holds.
/// @param name For messages.
/// @throws error `settings_invalid` with file name and line; also beyond 64 KiB, 1000 lines or
/// 4096 bytes in a line.
std::vector<assignment> parse_env(std::string_view text, const std::string& name);

/// Reads and parses a file. @throws error `settings_invalid`, also when it cannot be read.
std::vector<assignment> read_env_file(const std::filesystem::path& file);

} // namespace musetalk::config
