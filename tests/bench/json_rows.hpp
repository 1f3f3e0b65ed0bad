#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace musetalk::models::bench {

/// Prints the objects of a JSON list as they come, each on its line.
class json_rows {
public:
  void begin() {
    std::printf("%s\n  {", first_ ? "" : ",");
    first_ = false;
    separator_ = "";
  }

  /// @param value What JSON would need to escape becomes a space.
  void text(const char* key, std::string value) {
    std::replace_if(
        value.begin(), value.end(), [](char c) { return c == '"' || c == '\\' || c < ' '; }, ' ');
    std::printf("%s\"%s\": \"%s\"", std::exchange(separator_, ", "), key, value.c_str());
  }

  void number(const char* key, double value, int digits) {
    std::printf("%s\"%s\": %.*f", std::exchange(separator_, ", "), key, digits, value);
  }

  void flag(const char* key, bool value) {
    std::printf("%s\"%s\": %s", std::exchange(separator_, ", "), key, value ? "true" : "false");
  }

  void end() {
    std::printf("}");
    std::fflush(stdout);
  }

private:
  bool first_ = true;
  const char* separator_ = "";
};

} // namespace musetalk::models::bench
