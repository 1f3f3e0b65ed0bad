#include "config/rules.hpp"

#include "errors/error.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace musetalk::config {

namespace {

[[noreturn]] void refuse(const std::string& rule) {
  throw error{errc::settings_invalid, rule};
}

template <class T>
std::optional<T> parse(std::string_view text) {
  auto value = T{};
  const auto* end = text.data() + text.size();
  auto [rest, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || rest != end)
    return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  auto result = std::string{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string join(std::initializer_list<std::string_view> words) {
  auto result = std::string{};
  for (auto word : words)
    result += (result.empty() ? "" : ", ") + std::string{word};
  return result;
}

template <class T>
rule ranged(T settings::*field, T least, T most, std::string_view type) {
  auto text = std::ostringstream{};
  text << least << " to " << most;
  auto range = text.str();
  return {type, range, [=](settings& out, std::string_view value) {
            auto x = parse<T>(value);
            // Written so that NaN is refused.
            if (!x || !(*x >= least && *x <= most))
              refuse("must be a " + std::string{type} + " from " + range);
            out.*field = *x;
          }};
}

std::filesystem::path path_of(std::string_view text) {
  if (text.size() > 4096 || has_control_characters(text))
    refuse("must be a path of at most 4096 bytes without control characters");
  if (text == "~" || text.starts_with("~/"))
    if (const auto* home = std::getenv("HOME"))
      return std::filesystem::path{home} / text.substr(std::min<size_t>(2, text.size()));
  return std::filesystem::path{text};
}

bool is_address(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

} // namespace

rule yes_no(bool settings::*field) {
  return {"yes/no", "true or false (also 1/0, yes/no, on/off)",
          [=](settings& out, std::string_view value) {
            auto word = lower(value);
            auto yes = word == "true" || word == "1" || word == "yes" || word == "on";
            auto no = word == "false" || word == "0" || word == "no" || word == "off";
            if (!yes && !no)
              refuse("must be true or false");
            out.*field = yes;
          }};
}

rule whole(int32_t settings::*field, int32_t least, int32_t most) {
  return ranged(field, least, most, "whole number");
}

rule whole(int64_t settings::*field, int64_t least, int64_t most) {
  return ranged(field, least, most, "whole number");
}

rule number(double settings::*field, double least, double most) {
  return ranged(field, least, most, "number");
}

rule one_of(std::string settings::*field, std::initializer_list<std::string_view> choices,
            std::initializer_list<std::string_view> later) {
  auto known = std::vector<std::string>{choices.begin(), choices.end()};
  auto missing = std::vector<std::string>{later.begin(), later.end()};
  auto list = join(choices);
  return {"choice", list, [=](settings& out, std::string_view value) {
            auto word = lower(value);
            if (std::find(missing.begin(), missing.end(), word) != missing.end())
              refuse("is not built into this version; must be one of: " + list);
            if (std::find(known.begin(), known.end(), word) == known.end())
              refuse("must be one of: " + list);
            out.*field = word;
          }};
}

rule device_name(std::string settings::*field) {
  return {"choice", "auto, cpu, cuda:0, cuda:1, ...", [=](settings& out, std::string_view value) {
            auto word = lower(value);
            auto card = word.starts_with("cuda:")
                            ? parse<uint32_t>(std::string_view{word}.substr(5))
                            : std::nullopt;
            if (word != "auto" && word != "cpu" && !(card && *card < 64))
              refuse("must be auto, cpu or cuda:N with N from 0 to 63");
            out.*field = word;
          }};
}

rule plain_text(std::string settings::*field) {
  return {"text", "at most 255 bytes", [=](settings& out, std::string_view value) {
            if (value.size() > 255 || has_control_characters(value))
              refuse("must have at most 255 bytes and no control characters");
            out.*field = value;
          }};
}

rule path(std::filesystem::path settings::*field) {
  return {"path", "relative ones start where the program starts",
          [=](settings& out, std::string_view value) {
            out.*field = path_of(value);
          }};
}

rule path_list(std::vector<std::filesystem::path> settings::*field) {
  return {"paths", "at most 32, with : between them", [=](settings& out, std::string_view value) {
            auto result = std::vector<std::filesystem::path>{};
            while (!value.empty()) {
              auto end = std::min(value.find(':'), value.size());
              if (end > 0)
                result.push_back(path_of(value.substr(0, end)));
              value.remove_prefix(std::min(end + 1, value.size()));
            }
            if (result.size() > 32)
              refuse("must be at most 32 paths with : between them");
            out.*field = std::move(result);
          }};
}

rule origins(std::vector<std::string> settings::*field) {
  constexpr auto text = "http://HOST[:PORT] or https://HOST[:PORT], at most 32, with , between "
                        "them; or *";
  return {"origins", text, [=](settings& out, std::string_view value) {
            auto is_origin = [](std::string_view x) {
              if (!x.starts_with("http://") && !x.starts_with("https://"))
                return false;
              x.remove_prefix(x.find("//") + 2);
              return !x.empty() &&
                     x.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == x.npos;
            };
            auto result = std::vector<std::string>{};
            while (!value.empty()) {
              auto end = std::min(value.find(','), value.size());
              auto one = lower(value.substr(0, end));
              one.erase(0, one.find_first_not_of(' '));
              one.erase(one.find_last_not_of(' ') + 1);
              if (one != "*" && (one.size() > 255 || !is_origin(one)))
                refuse("must be " + std::string{text});
              result.push_back(one);
              value.remove_prefix(std::min(end + 1, value.size()));
            }
            if (result.size() > 32)
              refuse("must be " + std::string{text});
            out.*field = std::move(result);
          }};
}

rule address(endpoint settings::*field) {
  return {"address", "ADDRESS:PORT, [IPV6]:PORT or localhost:PORT",
          [=](settings& out, std::string_view value) {
            auto colon = value.rfind(':');
            auto host = std::string{value.substr(0, std::min(colon, value.size()))};
            auto port = colon == std::string_view::npos ? std::nullopt
                                                        : parse<uint16_t>(value.substr(colon + 1));
            auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
            if (bracketed)
              host = host.substr(1, host.size() - 2);
            if (host == "localhost")
              host = "127.0.0.1";
            // An IPv6 address without brackets could swallow the port.
            auto plain_v6 = !bracketed && host.find(':') != std::string::npos;
            if (!port || plain_v6 || !is_address(host))
              refuse("must be ADDRESS:PORT such as 127.0.0.1:9000, [::1]:9000 or localhost:9000");
            out.*field = endpoint{host, *port};
          }};
}

bool endpoint::loopback() const noexcept {
  return host.starts_with("127.") || host == "::1";
}

std::string endpoint::text() const {
  auto v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace musetalk::config
