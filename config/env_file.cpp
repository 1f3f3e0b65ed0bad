#include "config/env_file.hpp"

#include "errors/error.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace musetalk::config {

namespace {

constexpr auto max_file_bytes = size_t{64} * 1024;
constexpr auto max_lines = size_t{1000};
constexpr auto max_line_bytes = size_t{4096};

bool blank(char c) {
  return c == ' ' || c == '\t';
}

bool key_character(char c, bool first) {
  auto u = static_cast<unsigned char>(c);
  return c == '_' || (u < 0x80 && (first ? std::isalpha(u) != 0 : std::isalnum(u) != 0));
}

/// One line of the file; `where_` names it in every refusal.
class line_reader {
public:
  line_reader(std::string_view text, std::string where) : rest_(text), where_(std::move(where)) {
    // nop
  }

  /// The assignment in the line; none in an empty line or a comment.
  std::optional<assignment> read() {
    skip_blanks();
    if (at_end() || rest_.front() == '#')
      return std::nullopt;
    auto key = read_key();
    // `export` before a key is what shells write.
    if (key == "export" && !at_end() && blank(rest_.front())) {
      skip_blanks();
      key = read_key();
    }
    skip_blanks();
    if (at_end() || rest_.front() != '=')
      refuse("expected KEY=VALUE");
    rest_.remove_prefix(1);
    skip_blanks();
    auto value = read_value();
    return assignment{std::move(key), std::move(value), where_};
  }

private:
  bool at_end() const { return rest_.empty(); }

  void skip_blanks() {
    while (!at_end() && blank(rest_.front()))
      rest_.remove_prefix(1);
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw error{errc::settings_invalid, where_ + ": " + why + "."};
  }

  std::string read_key() {
    auto length = size_t{0};
    while (length < rest_.size() && key_character(rest_[length], length == 0))
      ++length;
    if (length == 0)
      refuse("expected a key of letters, digits and _");
    auto key = std::string{rest_.substr(0, length)};
    rest_.remove_prefix(length);
    return key;
  }

  std::string read_value() {
    if (at_end())
      return {};
    if (rest_.front() == '\'' || rest_.front() == '"')
      return read_quoted();
    // A bare value ends before white space that a comment follows.
    auto end = rest_.size();
    for (size_t i = 0; i < rest_.size(); ++i)
      if (rest_[i] == '#' && (i == 0 || blank(rest_[i - 1]))) {
        end = i;
        break;
      }
    while (end > 0 && blank(rest_[end - 1]))
      --end;
    return std::string{rest_.substr(0, end)};
  }

  std::string read_quoted() {
    auto quote = rest_.front();
    rest_.remove_prefix(1);
    auto value = std::string{};
    while (!at_end() && rest_.front() != quote)
      value += quote == '"' && rest_.front() == '\\' ? read_escape() : take();
    if (at_end())
      refuse("the quote is not closed");
    rest_.remove_prefix(1);
    skip_blanks();
    if (!at_end() && rest_.front() != '#')
      refuse("text after the closing quote");
    return value;
  }

  char take() {
    auto c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  char read_escape() {
    rest_.remove_prefix(1);
    if (at_end())
      refuse("the quote is not closed");
    switch (auto c = take()) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '$':
      return c;
    default:
      refuse("unknown escape; \\\" \\\\ \\$ \\n \\t are known");
    }
  }

  std::string_view rest_;
  std::string where_;
};

} // namespace

std::vector<assignment> parse_env(std::string_view text, const std::string& name) {
  if (text.size() > max_file_bytes)
    throw error{errc::settings_invalid, name + ": " + std::to_string(text.size()) +
                                            " bytes; at most " + std::to_string(max_file_bytes) +
                                            " are read."};
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  auto result = std::vector<assignment>{};
  for (size_t number = 1; !text.empty(); ++number) {
    auto where = name + ":" + std::to_string(number);
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (number > max_lines)
      throw error{errc::settings_invalid,
                  where + ": more than " + std::to_string(max_lines) + " lines."};
    if (line.size() > max_line_bytes)
      throw error{errc::settings_invalid,
                  where + ": more than " + std::to_string(max_line_bytes) + " bytes in a line."};
    if (line.find('\0') != std::string_view::npos)
      throw error{errc::settings_invalid, where + ": a zero byte; this is no text file."};
    if (auto x = line_reader{line, where}.read())
      result.push_back(std::move(*x));
  }
  return result;
}

std::vector<assignment> read_env_file(const std::filesystem::path& file) {
  // One byte more than the limit, so that a longer file is noticed without reading it.
  auto text = std::string(max_file_bytes + 1, '\0');
  auto in = std::ifstream{file, std::ios::binary};
  if (!in || std::filesystem::is_directory(file))
    throw error{errc::settings_invalid, file.string() + ": cannot be read.", std::strerror(errno)};
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return parse_env(text, file.filename().string());
}

} // namespace musetalk::config
