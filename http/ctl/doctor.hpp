#pragma once

#include "config/load.hpp"
#include "http/ctl/commands.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace musetalk::http::ctl {

/// One thing that `doctor` looked at.
struct finding {
  enum class state { good, note, bad };
  std::string subject;
  state how = state::good;
  std::string value = {};
  std::string hint = {};   ///< What to do; empty when good.
  std::string sha256 = {}; ///< Of a weight file, where it was wanted.
};

/// How `look_around` looks.
struct look_options {
  /// What the service computes with, as it says itself: `real`, `synthetic` or `none`. Empty when
  /// nobody answers: then the settings of this machine tell.
  std::string service_weights;
  bool hash = false;                 ///< Whether to read each weight file for its SHA-256.
  std::filesystem::path hash_memory; ///< Where sums are remembered; empty: nowhere.
  /// Told of each file that is read, ending with `done == total`.
  std::function<void(const std::string& file, uint64_t done, uint64_t total)> progress;
};

/// What this machine says: settings, weights, face networks, ffmpeg, disk, GPU, folders of avatars.
std::vector<finding> look_around(const config::loaded_settings& settings,
                                 const look_options& how = {});

/// What the service says of itself.
struct service_report {
  std::vector<finding> findings;
  std::string weights; ///< As in `look_options`.
};
service_report look_at_service(api& service);

/// Looks at everything and shows an example of use. @returns `unwell` when something is bad.
/// @param settings Null when they are invalid; `fault` then says why.
/// @param hash Whether weight files are read for their SHA-256: seconds per GB, the first time.
exit_code doctor(session& with, const config::loaded_settings* settings, const std::string& fault,
                 bool hash);

/// The program in `PATH` or, when given, in a folder or at a path; empty when there is none.
std::filesystem::path find_program(const std::string& name, const std::filesystem::path& given);

} // namespace musetalk::http::ctl
