#pragma once

#include "actors/figures.hpp"
#include "http/server.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace musetalk::http {

/// Counts of requests for the metrics. Few labels: routes and methods of the table, statuses.
struct request_counts {
  using route = std::tuple<std::string, std::string>; ///< Pattern and method.

  std::map<std::tuple<std::string, std::string, int>, uint64_t> answers; ///< And status.
  std::map<route, actors::bucket_counts> seconds;
  uint64_t bytes_in = 0;  ///< Of bodies.
  uint64_t bytes_out = 0; ///< Of whole answers.
};

/// Gathers `request_counts`. Thread-safe.
class request_figures {
public:
  void note(const access_record& x);

  request_counts read() const;

private:
  mutable std::mutex mutex_;
  request_counts counts_;
};

} // namespace musetalk::http
