#pragma once

#include "actors/figures.hpp"
#include "actors/interfaces.hpp"
#include "actors/observer.hpp"
#include "http/process_figures.hpp"
#include "http/request_figures.hpp"
#include "pipeline/sync_figures.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::http {

/// Everything that the metrics tell, as plain data.
struct metrics_input {
  std::string version;
  std::string mode;
  std::optional<actors::queue_status> queue; ///< Absent: the REGISTRY does not answer.
  actors::figures figures;
  std::vector<actors::observed_actor> actors;
  std::map<std::string, actors::actor_totals> totals; ///< By name of actor.
  std::array<uint64_t, actors::watch_kinds> watch_events{};
  request_counts requests;
  pipeline::sync_counts syncs;
  process_figures process;
  uint64_t disk_free_bytes = 0;
  uint64_t disk_size_bytes = 0;
};

/// In Prometheus's text format 0.0.4, by prometheus-cpp. Names begin with `musetalkd_`, those of
/// the process with `process_`, as everywhere.
std::string metrics_text(const metrics_input& x);

} // namespace musetalk::http
