#include "pipeline/job.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace musetalk::pipeline {

namespace {

template <class Enum>
struct named {
  Enum value;
  std::string_view name;
};

constexpr std::array states = {
    named<job_state>{job_state::queued, "queued"},
    named<job_state>{job_state::running, "running"},
    named<job_state>{job_state::cancelling, "cancelling"},
    named<job_state>{job_state::completed, "completed"},
    named<job_state>{job_state::failed, "failed"},
    named<job_state>{job_state::cancelled, "cancelled"},
};

constexpr std::array stages = {
    named<job_stage>{job_stage::none, "none"},
    named<job_stage>{job_stage::validate, "validate"},
    named<job_stage>{job_stage::convert, "convert"},
    named<job_stage>{job_stage::prepare, "prepare"},
    named<job_stage>{job_stage::verify, "verify"},
    named<job_stage>{job_stage::publish, "publish"},
    named<job_stage>{job_stage::speak, "speak"},
    named<job_stage>{job_stage::link, "link"},
};

constexpr std::array priorities = {
    named<job_priority>{job_priority::high, "high"},
    named<job_priority>{job_priority::normal, "normal"},
    named<job_priority>{job_priority::low, "low"},
};

constexpr std::array kinds = {named<job_kind>{job_kind::create, "create"},
                              named<job_kind>{job_kind::speak, "speak"},
                              named<job_kind>{job_kind::import_archive, "import"}};

constexpr std::array sync_modes = {named<sync_mode>{sync_mode::loop, "loop"},
                                   named<sync_mode>{sync_mode::bounce, "bounce"},
                                   named<sync_mode>{sync_mode::cut_off, "cut_off"}};

template <class Table, class Enum>
std::string_view name_in(const Table& table, Enum value) noexcept {
  auto found = std::find_if(table.begin(), table.end(),
                            [value](const auto& entry) { return entry.value == value; });
  return found == table.end() ? std::string_view{"unknown"} : found->name;
}

using move = std::pair<job_state, job_state>;

// A runner may have published before it heard of the cancellation, hence cancelling -> completed.
constexpr std::array moves = {
    move{job_state::queued, job_state::running},
    move{job_state::queued, job_state::failed},
    move{job_state::queued, job_state::cancelled},
    move{job_state::running, job_state::queued},
    move{job_state::running, job_state::cancelling},
    move{job_state::running, job_state::completed},
    move{job_state::running, job_state::failed},
    move{job_state::cancelling, job_state::completed},
    move{job_state::cancelling, job_state::failed},
    move{job_state::cancelling, job_state::cancelled},
    // Only when a client asks for it: another attempt.
    move{job_state::failed, job_state::queued},
    move{job_state::cancelled, job_state::queued},
};

} // namespace

std::string_view to_string(job_state x) noexcept {
  return name_in(states, x);
}

std::string_view to_string(job_stage x) noexcept {
  return name_in(stages, x);
}

std::string_view to_string(job_kind x) noexcept {
  return name_in(kinds, x);
}

std::string_view to_string(sync_mode x) noexcept {
  return name_in(sync_modes, x);
}

std::string_view to_string(job_priority x) noexcept {
  return name_in(priorities, x);
}

std::optional<sync_mode> sync_mode_from_string(std::string_view name) noexcept {
  for (const auto& entry : sync_modes)
    if (entry.name == name)
      return entry.value;
  return std::nullopt;
}

std::optional<job_priority> job_priority_from_string(std::string_view name) noexcept {
  for (const auto& entry : priorities)
    if (entry.name == name)
      return entry.value;
  return std::nullopt;
}

std::optional<job_state> job_state_from_string(std::string_view name) noexcept {
  for (const auto& entry : states)
    if (entry.name == name)
      return entry.value;
  return std::nullopt;
}

bool is_final(job_state x) noexcept {
  return x == job_state::completed || x == job_state::failed || x == job_state::cancelled;
}

bool has_version(const avatar& x, std::string_view version) noexcept {
  return std::any_of(x.versions.begin(), x.versions.end(),
                     [&](const auto& y) { return y.version == version; });
}

bool transition_allowed(job_state from, job_state to) noexcept {
  return std::find(moves.begin(), moves.end(), move{from, to}) != moves.end();
}

} // namespace musetalk::pipeline
