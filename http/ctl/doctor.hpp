#pragma once

#include "config/load.hpp"
#include "http/ctl/commands.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace musetalk::http::ctl {

/// One thing that `doctor` looked at.
struct finding {
  enum class state { good, note, bad };
  std::string subject;
  state how = state::good;
  std::string value;
  std::string hint; ///< What to do; empty when good.
};

/// What this machine says, without asking the service: settings, weights, face networks, ffmpeg,
/// disk, GPU, folders of avatars.
std::vector<finding> look_around(const config::loaded_settings& settings);

/// What the service says of itself.
std::vector<finding> look_at_service(api& service);

/// Looks at everything and shows an example of use. @returns `unwell` when something is bad.
/// @param settings Null when they are invalid; `fault` then says why.
exit_code doctor(session& with, const config::loaded_settings* settings, const std::string& fault);

/// The program in `PATH` or, when given, in a folder or at a path; empty when there is none.
std::filesystem::path find_program(const std::string& name, const std::filesystem::path& given);

} // namespace musetalk::http::ctl
