#pragma once

#include "config/settings.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace musetalk::config {

/// How a kind of setting is described, checked and stored.
struct rule {
  std::string_view type;
  std::string text; ///< For people: `1 to 64`.
  std::function<void(settings&, std::string_view)> store;
};

/// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`, in any case.
rule yes_no(bool settings::*field);

/// A whole number in `[least, most]`.
rule whole(int32_t settings::*field, int32_t least, int32_t most);
rule whole(int64_t settings::*field, int64_t least, int64_t most);

/// A decimal number in `[least, most]`.
rule number(double settings::*field, double least, double most);

/// One of a closed list. @param later Values that are known but not built into this version.
rule one_of(std::string settings::*field, std::initializer_list<std::string_view> choices,
            std::initializer_list<std::string_view> later = {});

/// `auto`, `cpu` or `cuda:N`.
rule device_name(std::string settings::*field);

/// Any text without control characters, at most 255 bytes; may be empty.
rule plain_text(std::string settings::*field);

/// A path, relative to the folder in which the program starts; `~/` is the user's home.
rule path(std::filesystem::path settings::*field);

/// Paths with `:` between them.
rule path_list(std::vector<std::filesystem::path> settings::*field);

/// Origins of web pages, such as `https://desk.example:8443`, with commas between them, or `*`.
rule origins(std::vector<std::string> settings::*field);

/// `host:port` with a numeric IPv4 address, an IPv6 address in brackets, or `localhost`.
rule address(endpoint settings::*field);

} // namespace musetalk::config
