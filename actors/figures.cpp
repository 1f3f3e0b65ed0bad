#include "actors/figures.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace musetalk::actors {

namespace {

struct kept_figures {
  std::mutex mutex;
  figures values;
};

kept_figures& kept() {
  static auto result = kept_figures{};
  return result;
}

template <class Map>
auto& at(Map& map, std::string_view key, const std::vector<double>& bounds) {
  auto& result = map[std::string{key}];
  if (result.bounds().empty())
    result = bucket_counts{bounds};
  return result;
}

} // namespace

bucket_counts::bucket_counts(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  // nop
}

bucket_counts::bucket_counts(std::vector<double> bounds, std::vector<uint64_t> counts, double sum)
    : bounds_(std::move(bounds)), counts_(std::move(counts)),
      total_(std::accumulate(counts_.begin(), counts_.end(), uint64_t{0})), sum_(sum) {
  // nop
}

void bucket_counts::add(double x) {
  auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), x) - bounds_.begin();
  ++counts_[static_cast<size_t>(bucket)];
  ++total_;
  sum_ += x;
}

void note_execution(std::string_view kind, size_t inputs, double seconds, bool good) {
  auto lock = std::lock_guard{kept().mutex};
  auto& counts = kept().values.executions[std::string{kind}];
  if (counts.inputs.bounds().empty()) {
    counts.inputs = bucket_counts{{1, 2, 4, 8, 16, 32, 64}};
    counts.seconds = bucket_counts{{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}};
  }
  counts.inputs.add(static_cast<double>(inputs));
  counts.seconds.add(seconds);
  counts.failed += good ? 0 : 1;
}

void note_waiting(const std::map<std::string, uint64_t>& by_class) {
  auto lock = std::lock_guard{kept().mutex};
  kept().values.waiting = by_class;
}

void note_stage(std::string_view stage, double seconds) {
  auto lock = std::lock_guard{kept().mutex};
  at(kept().values.stages, stage, {.1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000})
      .add(seconds);
}

figures read_figures() {
  auto lock = std::lock_guard{kept().mutex};
  return kept().values;
}

} // namespace musetalk::actors
