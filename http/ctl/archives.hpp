#pragma once

#include "http/ctl/commands.hpp"

#include <filesystem>
#include <string>

namespace musetalk::http::ctl {

struct export_arguments {
  std::string avatar_id;
  std::string version; ///< Empty: the current one.
  std::filesystem::path output;
};
/// Fetches an avatar as a tar, whole or not at all.
exit_code export_avatar(session& with, const export_arguments& what);

struct import_arguments {
  std::filesystem::path file;
  std::string avatar_id;
  std::string tutor_id; ///< Empty: the archive's.
};
/// Makes a version of an avatar of such a tar.
exit_code import_avatar(session& with, const import_arguments& what, bool wait);

} // namespace musetalk::http::ctl
