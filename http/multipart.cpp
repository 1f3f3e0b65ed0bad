#include "http/multipart.hpp"

#include <algorithm>
#include <cstring>

#include "errors/error.hpp"
#include "http/message.hpp"

namespace musetalk::http {
namespace {

constexpr std::string_view line_end = "\r\n";
/// White space that may follow a boundary on its line.
constexpr size_t max_padding_bytes = 64;

[[noreturn]] void malformed(std::string detail) {
  throw error(errc::request_malformed, std::move(detail));
}

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// RFC 2046 5.1.1, `bchars`, of which the last is no space.
bool is_boundary(std::string_view text) {
  auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         std::ranges::all_of(text, allowed);
}

/// The value of a header field with parameters: `form-data; name="a"; filename="b.mp4"`.
struct parameters {
  std::string_view rest;

  /// Takes a token or a quoted string off the front. Browsers write `"` as `%22` and leave a
  /// backslash as it is; curl writes `\"` and `\\`. Both read right when nothing else counts as an
  /// escape.
  std::string value() {
    std::string out;
    if (!rest.starts_with('"')) {
      out = trim(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.size(), rest.find(';')));
      return out;
    }
    for (rest.remove_prefix(1); !rest.empty() && rest.front() != '"'; rest.remove_prefix(1)) {
      if (rest.starts_with("\\\"") || rest.starts_with("\\\\"))
        rest.remove_prefix(1);
      out += rest.front();
    }
    if (rest.empty())
      malformed("A quoted parameter of a part never ends.");
    rest.remove_prefix(1);
    return out;
  }

  /// Calls `visit(name, value)` for each parameter.
  template <class Visit>
  void each(Visit visit) {
    while (!(rest = trim(rest)).empty()) {
      if (rest.front() != ';')
        malformed("The parameters of a header field are not separated by semicolons.");
      rest = trim(rest.substr(1));
      if (rest.empty())
        return;
      auto equals = rest.find('=');
      if (equals == rest.npos || equals == 0)
        malformed("A parameter of a header field has no name and value.");
      auto name = trim(rest.substr(0, equals));
      rest = trim(rest.substr(equals + 1));
      visit(name, value());
    }
  }
};

void read_disposition(std::string_view value, part_head& out) {
  auto kind = trim(value.substr(0, value.find(';')));
  if (!equals_ignoring_case(kind, "form-data"))
    malformed("A part is not form-data.");
  auto named = false;
  parameters{value.substr(std::min(value.size(), value.find(';')))}.each(
      [&](std::string_view name, std::string text) {
        if (equals_ignoring_case(name, "name")) {
          if (std::exchange(named, true))
            malformed("A part has two names.");
          out.name = std::move(text);
        } else if (equals_ignoring_case(name, "filename")) {
          if (out.filename)
            malformed("A part has two file names.");
          out.filename = std::move(text);
        }
      });
}

part_head parse_part_head(std::string_view text) {
  part_head out;
  auto dispositions = 0;
  while (!text.empty()) {
    auto line = text.substr(0, text.find(line_end));
    text.remove_prefix(line.size() + line_end.size());
    auto colon = line.find(':');
    if (colon == line.npos || colon == 0)
      malformed("A header line of a part has no name.");
    auto is_control = [](char c) {
      return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
    };
    if (std::ranges::any_of(line, is_control))
      malformed("A header line of a part holds a control character.");
    auto name = line.substr(0, colon);
    auto value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "Content-Disposition") && ++dispositions == 1)
      read_disposition(value, out);
    else if (equals_ignoring_case(name, "Content-Type"))
      out.content_type = value;
  }
  if (dispositions != 1 || out.name.empty())
    malformed("A part needs exactly one Content-Disposition that names its field.");
  return out;
}

} // namespace

multipart_parser::multipart_parser(std::string boundary, multipart_limits limits, events on)
    : delimiter_("\r\n--" + boundary), limits_(limits), on_(std::move(on)) {
  if (!is_boundary(boundary))
    malformed("The multipart boundary is not 1 to 70 of the characters RFC 2046 allows.");
}

void multipart_parser::push(std::span<const std::byte> bytes) {
  auto rest = std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  while (!rest.empty() && state_ != state::epilogue)
    rest = step(rest);
}

void multipart_parser::finish() {
  if (state_ != state::epilogue)
    malformed("The multipart body ends without its closing boundary.");
}

std::string_view multipart_parser::step(std::string_view in) {
  switch (state_) {
  case state::delimiter_tail:
    return step_delimiter_tail(in);
  case state::part_headers:
    return step_headers(in);
  case state::epilogue:
    return {};
  default:
    return step_data(in);
  }
}

void multipart_parser::emit(std::string_view data) {
  if (state_ != state::preamble && !data.empty())
    on_.part_data(std::as_bytes(std::span{data}));
}

/// CR comes nowhere in the delimiter but at its start, so a match that fails can only begin anew at
/// the byte that broke it: nothing has to be kept but how much matched.
std::string_view multipart_parser::step_data(std::string_view in) {
  auto wanted = std::string_view{delimiter_}.substr(matched_);
  if (matched_ > 0) {
    auto size = std::min(wanted.size(), in.size());
    if (in.substr(0, size) != wanted.substr(0, size)) {
      auto broken = static_cast<size_t>(std::ranges::mismatch(in, wanted).in1 - in.begin());
      emit(std::string_view{delimiter_}.substr(borrowed_, matched_ + broken - borrowed_));
      matched_ = borrowed_ = 0;
      return in.substr(broken);
    }
    matched_ += size;
    in.remove_prefix(size);
  } else {
    auto at = static_cast<const char*>(
        memmem(in.data(), in.size(), delimiter_.data(), delimiter_.size()));
    if (at) {
      auto size = static_cast<size_t>(at - in.data());
      emit(in.substr(0, size));
      in.remove_prefix(size + delimiter_.size());
      matched_ = delimiter_.size();
    } else {
      auto tail = in.size() - std::min(in.size(), delimiter_.size() - 1);
      auto start = in.find('\r', tail);
      while (start != in.npos && !delimiter_.starts_with(in.substr(start)))
        start = in.find('\r', start + 1);
      start = std::min(start, in.size());
      emit(in.substr(0, start));
      matched_ = in.size() - start;
      return {};
    }
  }
  if (matched_ == delimiter_.size()) {
    held_.clear();
    in_part_ = state_ == state::data;
    state_ = state::delimiter_tail;
  }
  return in;
}

/// After the delimiter: `--` ends the body, white space and CRLF begin a part; anything else means
/// that the data only looked like the delimiter.
std::string_view multipart_parser::step_delimiter_tail(std::string_view in) {
  held_ += in.front();
  auto padding = std::string_view{held_};
  while (padding.starts_with(' ') || padding.starts_with('\t'))
    padding.remove_prefix(1);
  auto fits = held_ == "-" || held_ == "--" ||
              (held_.size() <= max_padding_bytes && line_end.starts_with(padding));
  if (!fits) {
    held_.pop_back();
    auto begins_anew = held_.ends_with('\r');
    if (begins_anew)
      held_.pop_back();
    state_ = in_part_ ? state::data : state::preamble;
    emit(std::string_view{delimiter_}.substr(borrowed_));
    emit(held_);
    matched_ = begins_anew ? 1 : 0;
    borrowed_ = 0;
    return in;
  }
  matched_ = 0;
  if (held_ == "--") {
    end_part();
    state_ = state::epilogue;
  } else if (padding == line_end) {
    end_part();
    held_.clear();
    if (++parts_ > limits_.max_parts)
      throw error(errc::request_too_large, "The multipart body has more than " +
                                               std::to_string(limits_.max_parts) + " parts.");
    state_ = state::part_headers;
  }
  return in.substr(1);
}

void multipart_parser::end_part() {
  if (in_part_)
    on_.part_end();
  in_part_ = false;
}

std::string_view multipart_parser::step_headers(std::string_view in) {
  auto feed = in.find('\n');
  auto part = in.substr(0, feed == in.npos ? in.size() : feed + 1);
  if (held_.size() + part.size() > limits_.max_part_head_bytes)
    throw error(errc::request_too_large, "The header lines of a part have more than " +
                                             std::to_string(limits_.max_part_head_bytes) +
                                             " bytes.");
  held_ += part;
  in.remove_prefix(part.size());
  if (!held_.ends_with('\n'))
    return in;
  if (!held_.ends_with(line_end))
    malformed("A header line of a part does not end with CR and LF.");
  if (held_ != line_end && !held_.ends_with("\r\n\r\n"))
    return in;
  auto text = std::string_view{held_}.substr(0, held_.size() - line_end.size());
  on_.part_begin(parse_part_head(text));
  held_.clear();
  state_ = state::data;
  // The delimiter of a part without data may follow at once and borrow the CRLF that ends the head.
  matched_ = borrowed_ = line_end.size();
  return in;
}

std::string multipart_boundary(std::string_view content_type) {
  auto kind = content_type.substr(0, content_type.find(';'));
  if (!equals_ignoring_case(trim(kind), "multipart/form-data"))
    throw error(errc::request_media_type, "The body must be multipart/form-data.");
  std::string out;
  auto count = 0;
  parameters{content_type.substr(kind.size())}.each([&](std::string_view name, std::string value) {
    if (equals_ignoring_case(name, "boundary")) {
      out = std::move(value);
      ++count;
    }
  });
  if (count != 1 || !is_boundary(out))
    malformed("Content-Type needs exactly one boundary of 1 to 70 allowed characters.");
  return out;
}

} // namespace musetalk::http
