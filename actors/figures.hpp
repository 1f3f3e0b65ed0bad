#pragma once

// Counts of the whole process for metrics and console, kept where things happen so that no actor
// needs to be asked. Thread-safe, and far too rare to be in anybody's way.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::actors {

/// Counts of values by upper bound, as Prometheus wants them. Plain data.
class bucket_counts {
public:
  bucket_counts() = default;

  /// @param bounds Upper bounds, rising; one more bucket has all above.
  explicit bucket_counts(std::vector<double> bounds);

  /// As counted elsewhere. @param counts One more than there are bounds.
  bucket_counts(std::vector<double> bounds, std::vector<uint64_t> counts, double sum);

  void add(double x);

  const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Of each bucket by itself; one more than there are bounds.
  const std::vector<uint64_t>& counts() const noexcept { return counts_; }
  uint64_t total() const noexcept { return total_; }
  double sum() const noexcept { return sum_; }

private:
  std::vector<double> bounds_;
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
  double sum_ = 0.;
};

/// Executions of one kind on the device.
struct execution_counts {
  uint64_t failed = 0;
  bucket_counts inputs;  ///< Of one execution.
  bucket_counts seconds; ///< Of one execution.
};

/// What the service did so far.
struct figures {
  std::map<std::string, execution_counts> executions; ///< By kind of work.
  std::map<std::string, uint64_t> waiting;            ///< Requests for the device by class, now.
  std::map<std::string, bucket_counts> stages;        ///< Seconds of jobs by stage.
};

void note_execution(std::string_view kind, size_t inputs, double seconds, bool good);
void note_waiting(const std::map<std::string, uint64_t>& by_class);
void note_stage(std::string_view stage, double seconds);

/// A copy.
figures read_figures();

} // namespace musetalk::actors
