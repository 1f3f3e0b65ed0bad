#include "tests/models/golden.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace musetalk::models::testing {

std::filesystem::path goldens() {
  if (const auto* other = std::getenv("GOLDENS_DIR"); other && *other)
    return other;
  return std::filesystem::path{MUSETALK_SOURCE_DIR} / "tests/golden";
}

std::vector<std::filesystem::path> golden_cases(const std::string& network) {
  auto cases = std::vector<std::filesystem::path>{};
  auto folder = goldens() / network;
  if (std::filesystem::is_directory(folder))
    for (const auto& x : std::filesystem::directory_iterator{folder})
      if (x.path().filename() != "full" && std::filesystem::exists(x.path() / "manifest.json"))
        cases.push_back(x.path());
  std::sort(cases.begin(), cases.end());
  return cases;
}

json_value manifest(const std::filesystem::path& folder) {
  return json_value::parse(text_of(folder / "manifest.json"));
}

std::string text_of(const std::filesystem::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace musetalk::models::testing
