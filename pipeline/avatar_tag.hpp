#pragma once

#include "pipeline/job.hpp"

#include <string>
#include <string_view>

namespace musetalk::pipeline {

/// The state of an avatar as an entity tag, quotes and all: another one as soon as its tutor, its
/// versions or which of them is current change. Jobs and their progress do not count.
std::string avatar_tag(const avatar& x);

/// @param if_match The header `If-Match` (RFC 9110): tags with commas between them, or `*`. Empty:
/// none came. Weak tags match nothing.
/// @throws error `precondition_failed` when none of them is the avatar's.
void require_match(const avatar& x, std::string_view if_match);

} // namespace musetalk::pipeline
