#pragma once

#include "http/ctl/commands.hpp"

#include <string>

namespace musetalk::http::ctl {

// What stays and what goes.

/// Has removed what the settings no longer keep; only tells what that would be with `dry_run`.
exit_code clean(session& with, bool dry_run);

/// Keeps an avatar from going by itself, or lets go of it.
exit_code pin_avatar(session& with, const std::string& avatar_id, bool pinned);

/// Tells the service that somebody uses an avatar.
exit_code touch_avatar(session& with, const std::string& avatar_id);

} // namespace musetalk::http::ctl
