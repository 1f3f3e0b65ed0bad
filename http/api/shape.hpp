#pragma once

// JSON schemas (2020-12), made of a few words. Every object has all of its members unless one is
// `maybe`, and no others: a test holds the answers of the service to that.

#include "http/json.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace musetalk::http::api {

using shape = json;

shape text(std::string_view meaning = {});
shape whole(std::string_view meaning = {});
shape number(std::string_view meaning = {});
shape yes_no(std::string_view meaning = {});

/// RFC 3339, UTC.
shape time(std::string_view meaning = {});

/// One of a closed list.
shape words(std::initializer_list<std::string_view> choices, std::string_view meaning = {});

/// The same, or null.
shape or_null(shape x);

shape list(shape items, std::string_view meaning = {});

/// An object whose names are not known before.
shape map_of(shape values, std::string_view meaning = {});

/// One of the shapes of `shapes()`.
shape named(std::string_view name);

/// A member of an object.
struct member {
  std::string_view name;
  shape what;
  bool optional = false;
};

member maybe(std::string_view name, shape what);

shape object(std::initializer_list<member> members, std::string_view meaning = {});

/// An object with some more members.
shape with(shape base, std::initializer_list<member> members);

/// Every shape that has a name, such as `Job`.
shape shapes();

} // namespace musetalk::http::api
