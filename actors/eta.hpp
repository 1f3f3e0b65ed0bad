#pragma once

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace musetalk::actors {

// Estimates. Seconds that are not known are negative.

/// What makes a job long.
struct work_size {
  int64_t frames = 0; ///< At 25 frames per second; 0: unknown.
  int64_t pixels = 0; ///< Of one frame; 0: unknown.
  bool blur = false;
};

/// What the jobs of this machine took, as a straight line over their frames; the newest and those
/// of the most similar pictures count most.
class work_history {
public:
  /// A job that completed. @param seconds From its start to its end.
  void add(const work_size& size, double seconds);

  /// Seconds that a job of this size will take.
  double predict_s(const work_size& size) const;

private:
  struct sample {
    work_size size;
    double seconds;
  };

  std::deque<sample> samples_; ///< The newest last.
};

/// Estimates the rest of a running job: at first from history, more and more from its own progress.
/// Validation says nothing about the speed of the work, so its own counts from the streamed stage.
class job_eta {
public:
  /// It has begun. @param predicted_s Of the whole job.
  void begin(caf::actor_clock::time_point now, double predicted_s);

  void moved(double fraction, caf::actor_clock::time_point now);

  /// Seconds to the end.
  double rest_s(caf::actor_clock::time_point now) const;

private:
  double predicted_rest_s(caf::actor_clock::time_point now) const;
  double own_rest_s(caf::actor_clock::time_point now) const;

  caf::actor_clock::time_point begun_;
  double predicted_s_ = -1.;
  std::optional<caf::actor_clock::time_point> since_;
  double from_ = 0.;
  double fraction_ = 0.;
  caf::actor_clock::time_point moved_;
};

/// A job that has a place or waits for one.
struct planned_work {
  std::string avatar_id;
  std::string work;    ///< Bytes and options; empty: like no other.
  double seconds = 0;  ///< That it takes, or has left when it runs.
  bool linked = false; ///< Needs no place: a version of the same work is there.
};

/// When each of the jobs that wait will have ended, seconds from now. Jobs of one avatar run one
/// after the other; of jobs of the same work the first is prepared and the others linked.
/// @param running At most `places`.
/// @param waiting In the order of the queue.
std::vector<double> plan_ends(std::span<const planned_work> running, size_t places,
                              std::span<const planned_work> waiting);

} // namespace musetalk::actors
