#include "pipeline/avatar_tag.hpp"

#include "errors/error.hpp"
#include "pipeline/sha256.hpp"

#include <algorithm>
#include <span>

namespace musetalk::pipeline {

std::string avatar_tag(const avatar& x) {
  auto text = x.avatar_id + '\n' + x.tutor_id + '\n' + x.current_version;
  for (const auto& version : x.versions)
    text += '\n' + version.version + ' ' + std::to_string(version.created_us);
  return '"' + sha256_of(std::as_bytes(std::span{text})).substr(0, 16) + '"';
}

void require_match(const avatar& x, std::string_view if_match) {
  if (if_match.empty())
    return;
  auto now = avatar_tag(x);
  while (!if_match.empty()) {
    auto end = std::min(if_match.find(','), if_match.size());
    auto tag = if_match.substr(0, end);
    if_match.remove_prefix(std::min(end + 1, if_match.size()));
    tag.remove_prefix(std::min(tag.find_first_not_of(" \t"), tag.size()));
    tag = tag.substr(0, tag.find_last_not_of(" \t") + 1);
    if (tag == now || tag == "*")
      return;
  }
  throw error(errc::precondition_failed, "The avatar's tag is " + now + " now.");
}

} // namespace musetalk::pipeline
