#include "tests/bench/arguments.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace musetalk::models::bench {

void refuse(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}

std::vector<std::string> split(const std::string& text) {
  auto list = std::vector<std::string>{};
  auto in = std::istringstream{text};
  for (std::string part; std::getline(in, part, ',');)
    list.push_back(part);
  return list;
}

precision precision_of(const std::string& name, std::initializer_list<precision> known) {
  for (auto x : known)
    if (to_string(x) == name)
      return x;
  refuse("unknown number format " + name);
}

void read_arguments(int argc, char** argv, const argument_table& known) {
  for (auto i = 1; i < argc; i += 2) {
    if (!known.contains(argv[i]) || i + 1 >= argc)
      refuse(std::string{"unknown or incomplete argument "} + argv[i]);
    known.at(argv[i])(argv[i + 1]);
  }
}

} // namespace musetalk::models::bench
