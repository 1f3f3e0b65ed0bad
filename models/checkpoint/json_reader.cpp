#include "models/checkpoint/json_reader.hpp"

#include "errors/error.hpp"

#include <charconv>
#include <unordered_set>

namespace musetalk::models {

namespace {

constexpr int max_depth = 32;

class parser {
public:
  explicit parser(std::string_view text) : text_(text) {
    // nop
  }

  json_value document() {
    auto value = element(0);
    skip_space();
    if (at_ != text_.size())
      fail("text after the value");
    return value;
  }

private:
  [[noreturn]] void fail(const std::string& why) const {
    throw error{errc::models_invalid, "not JSON at byte " + std::to_string(at_) + ": " + why};
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')
      ++at_;
  }

  bool take(char c) {
    if (peek() != c || at_ >= text_.size())
      return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!take(c))
      fail(std::string{"'"} + c + "' expected");
  }

  json_value word(std::string_view w, json_value value) {
    if (text_.substr(at_, w.size()) != w)
      fail("unknown word");
    at_ += w.size();
    return value;
  }

  json_value element(int depth) {
    if (depth > max_depth)
      fail("nested deeper than " + std::to_string(max_depth));
    skip_space();
    switch (peek()) {
    case '{':
      return object(depth);
    case '[':
      return array(depth);
    case '"':
      return json_value{string()};
    case 't':
      return word("true", json_value{true});
    case 'f':
      return word("false", json_value{false});
    case 'n':
      return word("null", json_value{});
    default:
      return number();
    }
  }

  json_value object(int depth) {
    auto members = json_value::object{};
    auto seen = std::unordered_set<std::string>{};
    expect('{');
    skip_space();
    if (take('}'))
      return json_value{std::move(members)};
    do {
      skip_space();
      auto key = string();
      if (!seen.insert(key).second)
        fail("a key occurs twice");
      skip_space();
      expect(':');
      auto value = element(depth + 1);
      members.emplace_back(std::move(key), std::move(value));
      skip_space();
    } while (take(','));
    expect('}');
    return json_value{std::move(members)};
  }

  json_value array(int depth) {
    auto items = json_value::array{};
    expect('[');
    skip_space();
    if (take(']'))
      return json_value{std::move(items)};
    do {
      items.push_back(element(depth + 1));
      skip_space();
    } while (take(','));
    expect(']');
    return json_value{std::move(items)};
  }

  json_value number() {
    auto start = at_;
    auto digits = [this] {
      auto first = at_;
      while (peek() >= '0' && peek() <= '9')
        ++at_;
      if (at_ == first)
        fail("a value expected");
    };
    take('-');
    auto leading_zero = peek() == '0';
    auto first = at_;
    digits();
    if (leading_zero && at_ - first > 1)
      fail("a number with a leading zero");
    auto whole = true;
    if (take('.')) {
      whole = false;
      digits();
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('-'))
        take('+');
      digits();
    }
    auto* begin = text_.data() + start;
    auto* end = text_.data() + at_;
    if (whole) {
      auto x = int64_t{};
      if (std::from_chars(begin, end, x).ec != std::errc{})
        fail("a number beyond 64 bits");
      return json_value{x};
    }
    auto x = double{};
    if (std::from_chars(begin, end, x).ec != std::errc{})
      fail("a number out of range");
    return json_value{x};
  }

  uint32_t hex4() {
    auto x = uint32_t{};
    auto part = text_.substr(at_, 4);
    auto done = std::from_chars(part.data(), part.data() + part.size(), x, 16);
    if (part.size() != 4 || done.ptr != part.data() + 4)
      fail("a damaged \\u escape");
    at_ += 4;
    return x;
  }

  uint32_t code_point() {
    auto x = hex4();
    if (x >= 0xDC00 && x <= 0xDFFF)
      fail("half a surrogate pair");
    if (x < 0xD800 || x > 0xDBFF)
      return x;
    if (text_.substr(at_, 2) != "\\u")
      fail("half a surrogate pair");
    at_ += 2;
    auto low = hex4();
    if (low < 0xDC00 || low > 0xDFFF)
      fail("half a surrogate pair");
    return 0x10000 + ((x - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string& s, uint32_t x) {
    if (x < 0x80) {
      s += static_cast<char>(x);
    } else if (x < 0x800) {
      s += static_cast<char>(0xC0 | (x >> 6));
      s += static_cast<char>(0x80 | (x & 0x3F));
    } else if (x < 0x10000) {
      s += static_cast<char>(0xE0 | (x >> 12));
      s += static_cast<char>(0x80 | ((x >> 6) & 0x3F));
      s += static_cast<char>(0x80 | (x & 0x3F));
    } else {
      s += static_cast<char>(0xF0 | (x >> 18));
      s += static_cast<char>(0x80 | ((x >> 12) & 0x3F));
      s += static_cast<char>(0x80 | ((x >> 6) & 0x3F));
      s += static_cast<char>(0x80 | (x & 0x3F));
    }
  }

  char escaped() {
    static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    auto i = from.find(peek());
    if (i == std::string_view::npos || at_ >= text_.size())
      fail("an unknown escape");
    ++at_;
    return to[i];
  }

  std::string string() {
    auto s = std::string{};
    expect('"');
    while (true) {
      if (at_ >= text_.size())
        fail("a string without an end");
      auto c = text_[at_++];
      if (c == '"')
        return s;
      if (static_cast<unsigned char>(c) < 0x20)
        fail("a control character in a string");
      if (c != '\\')
        s += c;
      else if (take('u'))
        append_utf8(s, code_point());
      else
        s += escaped();
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

[[noreturn]] void wrong_type(const char* wanted) {
  throw error{errc::models_invalid, std::string{"a JSON value is not "} + wanted};
}

} // namespace

json_value json_value::parse(std::string_view text) {
  return parser{text}.document();
}

const json_value* json_value::find(std::string_view key) const {
  if (auto* members = std::get_if<object>(&data_))
    for (const auto& [name, value] : *members)
      if (name == key)
        return &value;
  return nullptr;
}

const json_value& json_value::at(std::string_view key) const {
  auto* found = find(key);
  if (!found)
    throw error{errc::models_invalid, "the JSON key \"" + std::string{key} + "\" is missing"};
  return *found;
}

bool json_value::boolean() const {
  if (auto* x = std::get_if<bool>(&data_))
    return *x;
  wrong_type("true or false");
}

int64_t json_value::integer() const {
  if (auto* x = std::get_if<int64_t>(&data_))
    return *x;
  wrong_type("a whole number");
}

double json_value::number() const {
  if (auto* x = std::get_if<double>(&data_))
    return *x;
  if (auto* x = std::get_if<int64_t>(&data_))
    return static_cast<double>(*x);
  wrong_type("a number");
}

const std::string& json_value::text() const {
  if (auto* x = std::get_if<std::string>(&data_))
    return *x;
  wrong_type("a text");
}

const json_value::array& json_value::items() const {
  if (auto* x = std::get_if<array>(&data_))
    return *x;
  wrong_type("a list");
}

const json_value::object& json_value::members() const {
  if (auto* x = std::get_if<object>(&data_))
    return *x;
  wrong_type("an object");
}

} // namespace musetalk::models
