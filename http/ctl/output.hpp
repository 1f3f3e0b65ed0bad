#pragma once

#include "http/ctl/api.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace musetalk::http::ctl {

/// What the program writes: for people when its output is a terminal, else one JSON object in each
/// line. Texts of the service are cleaned of control characters before a terminal sees them.
class output {
public:
  /// @param terminal Whether a person reads it; then `out` understands carriage returns.
  output(std::ostream& out, std::ostream& errors, bool terminal, int columns = 80);

  bool terminal() const { return terminal_; }

  /// A result: the object in JSON mode, else the text.
  void result(const json& object, const std::string& text);

  /// A problem of the service (RFC 9457), or any other answer that is no success.
  void problem(const reply& x);

  /// A fault on this side.
  void fault(const std::string& text, const std::string& hint);

  /// The bar of an upload. In JSON mode a line for each tenth.
  void upload(uint64_t sent, uint64_t total);

  /// The bar of a job; in JSON mode a line when anything but the time has changed.
  void job(const json& job);

  /// The bar of a file that is read for its sum; gone when that is done. Nothing in JSON mode.
  void hashing(const std::string& file, uint64_t done, uint64_t total);

  /// Ends the line of a bar, if one stands.
  void end_bar();

private:
  void bar(const std::string& label, double fraction, const std::string& after);

  std::ostream& out_;
  std::ostream& errors_;
  bool terminal_;
  int columns_;
  bool bar_open_ = false;
  std::string last_;
  int64_t last_tenth_ = -1;
};

/// A text member of an object, fit to be printed; empty when there is none of that name and type.
std::string text_member(const json& x, const char* name);

/// The text without control characters.
std::string printable(std::string_view text);

/// `512 B`, `1.5 MB`, `2.0 GB`: units of 1000.
std::string size_text(uint64_t bytes);

/// `12 s`, `3 min 20 s`.
std::string duration_text(double seconds);

/// A bar of `width` columns.
std::string bar_text(double fraction, int width);

} // namespace musetalk::http::ctl
