#include "actors/metered.hpp"

#include <caf/atom.hpp>
#include <caf/type_nr.hpp>

#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string_view>
#include <typeinfo>

namespace musetalk::actors {

namespace {

bool is_atom(const caf::rtti_pair& x) {
  return x.first == caf::type_nr<caf::atom_value>::value;
}

/// Without namespaces and template arguments; lists as `image[]`.
std::string short_name(std::string name) {
  constexpr auto list = std::string_view{"std::vector<"};
  if (name.starts_with(list))
    return short_name(name.substr(list.size(), name.find_first_of(",>") - list.size())) + "[]";
  name = name.substr(0, name.find('<'));
  if (auto scope = name.rfind("::"); scope != std::string::npos)
    name = name.substr(scope + 2);
  return name;
}

std::string demangled(const std::type_info& x) {
  auto failed = 0;
  auto text = std::unique_ptr<char, decltype(&std::free)>{
      abi::__cxa_demangle(x.name(), nullptr, nullptr, &failed), &std::free};
  return failed == 0 ? text.get() : x.name();
}

std::string name_of(const caf::type_erased_tuple& x) {
  if (x.size() == 0)
    return "done";
  auto first = x.type(0);
  if (is_atom(first))
    return to_string(x.get_as<caf::atom_value>(0));
  if (first.second != nullptr)
    return short_name(demangled(*first.second));
  // Built-in types have numbers and names that begin with a sign.
  return std::string{caf::numbered_type_names[first.first - 1]}.substr(1);
}

} // namespace

uint64_t message_key(const caf::mailbox_element& x) {
  const auto& content = x.content();
  auto key = uint64_t{content.type_token()};
  if (content.size() > 0) {
    auto first = content.type(0);
    key ^= is_atom(first) ? static_cast<uint64_t>(content.get_as<caf::atom_value>(0)) << 8
                          : reinterpret_cast<uintptr_t>(first.second);
  }
  return x.mid.is_response() ? ~key : key;
}

std::string message_name(const caf::mailbox_element& x) {
  auto name = name_of(x.content());
  return x.mid.is_response() ? "answer: " + name : name;
}

std::string noted(const caf::error& x) {
  return std::string{to_string(code_of(x))} + ": " + detail_of(x);
}

} // namespace musetalk::actors
