#include "actors/eta.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace musetalk::actors {

namespace {

/// Where the streamed stage begins and ends, and how far it must have moved before its speed means
/// anything.
constexpr double stream_begins = 0.05;
constexpr double stream_ends = 0.9;
constexpr double enough_progress = 0.02;

constexpr size_t most_samples = 64;

/// What each newer job takes off the weight of an older one.
constexpr double aging = 0.9;

/// A job of half or twice the pixels counts so much less.
constexpr double likeness_of_double = 0.5;

/// Jobs of about the same length say nothing about what does not grow with it: variance over the
/// square of the mean.
constexpr double least_spread = 0.01;

constexpr double other_blur = 0.05;

/// To link a version.
constexpr double link_s = 0.1;

double seconds(caf::actor_clock::duration_type x) {
  return std::chrono::duration<double>(x).count();
}

double likeness(int64_t a, int64_t b) {
  if (a <= 0 || b <= 0)
    return 1.;
  auto doublings = std::abs(std::log2(static_cast<double>(a) / static_cast<double>(b)));
  return std::pow(likeness_of_double, doublings);
}

} // namespace

// -- history ----------------------------------------------------------------------

void work_history::add(const work_size& size, double seconds) {
  samples_.push_back({size, seconds});
  if (samples_.size() > most_samples)
    samples_.pop_front();
}

double work_history::predict_s(const work_size& size) const {
  auto sum = 0.;
  auto frames = 0.;
  auto seconds = 0.;
  auto each = [&](auto&& f) {
    auto age = 1.;
    for (auto x = samples_.rbegin(); x != samples_.rend(); ++x, age *= aging)
      f(static_cast<double>(x->size.frames), x->seconds,
        age * likeness(size.pixels, x->size.pixels) *
            (size.blur == x->size.blur ? 1. : other_blur));
  };
  each([&](double n, double s, double weight) {
    sum += weight;
    frames += weight * n;
    seconds += weight * s;
  });
  if (sum <= 0.)
    return -1.;
  frames /= sum;
  seconds /= sum;
  if (size.frames <= 0 || frames <= 0.)
    return seconds;
  // A straight line: some seconds for each job, and some for each of its frames.
  auto square = 0.;
  auto product = 0.;
  each([&](double n, double s, double weight) {
    square += weight * (n - frames) * (n - frames);
    product += weight * (n - frames) * (s - seconds);
  });
  auto ratio = seconds / frames;
  auto alike = square / sum < least_spread * frames * frames;
  auto slope = alike ? ratio : std::clamp(product / square, 0., ratio);
  return seconds + slope * (static_cast<double>(size.frames) - frames);
}

// -- a running job ------------------------------------------------------------------

void job_eta::begin(caf::actor_clock::time_point now, double predicted_s) {
  begun_ = now;
  predicted_s_ = predicted_s;
}

void job_eta::moved(double fraction, caf::actor_clock::time_point now) {
  if (fraction <= fraction_ && since_)
    return;
  fraction_ = std::max(fraction_, fraction);
  moved_ = now;
  if (!since_ && fraction >= stream_begins) {
    since_ = now;
    from_ = fraction;
  }
}

double job_eta::predicted_rest_s(caf::actor_clock::time_point now) const {
  // One that takes longer than thought is not done at once.
  return predicted_s_ < 0. ? -1.
                           : std::max(predicted_s_ - seconds(now - begun_), 0.05 * predicted_s_);
}

double job_eta::own_rest_s(caf::actor_clock::time_point now) const {
  if (!since_ || fraction_ - from_ < enough_progress)
    return -1.;
  // The speed until the last move; the time since then has passed.
  auto speed = (fraction_ - from_) / std::max(seconds(moved_ - *since_), 1e-3);
  return std::max((1. - fraction_) / speed - seconds(now - moved_), 0.);
}

double job_eta::rest_s(caf::actor_clock::time_point now) const {
  auto predicted = predicted_rest_s(now);
  auto own = own_rest_s(now);
  if (own < 0. || predicted < 0.)
    return std::max(own, predicted);
  auto share = std::clamp((fraction_ - stream_begins) / (stream_ends - stream_begins), 0., 1.);
  return own * share + predicted * (1. - share);
}

// -- the queue ------------------------------------------------------------------------

std::vector<double> plan_ends(std::span<const planned_work> running, size_t places,
                              std::span<const planned_work> waiting) {
  auto free = std::vector<double>(std::max<size_t>(places, 1), 0.);
  auto avatars = std::map<std::string, double>{};
  auto works = std::map<std::string, double>{};
  // What is not known makes what comes after it unknown, but for a place that is free.
  constexpr auto unknown = 1e18;
  auto known = [](double x) {
    return x < 0. ? unknown : x;
  };
  auto ends_at = [&](const planned_work& x, double end) {
    auto& last = avatars[x.avatar_id];
    last = std::max(last, end);
    if (!x.work.empty())
      works.try_emplace(x.work, end);
  };
  auto place = size_t{0};
  for (const auto& x : running) {
    ends_at(x, known(x.seconds));
    if (!x.linked && place < free.size())
      free[place++] = known(x.seconds);
  }
  auto result = std::vector<double>{};
  for (const auto& x : waiting) {
    auto end = avatars[x.avatar_id];
    if (x.linked) {
      end += link_s;
    } else if (auto same = works.find(x.work); !x.work.empty() && same != works.end()) {
      end = std::max(end, same->second) + link_s;
    } else {
      auto next = std::min_element(free.begin(), free.end());
      end = std::max(end, *next) + known(x.seconds);
      *next = end;
    }
    ends_at(x, end);
    result.push_back(end >= unknown ? -1. : end);
  }
  return result;
}

} // namespace musetalk::actors
