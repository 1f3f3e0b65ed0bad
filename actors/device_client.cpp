#include "actors/device_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace musetalk::actors {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class device_client final : public pipeline::face_analysis {
public:
  device_client(caf::actor_system& system, const gpu_scheduler_actor& gpu, const job_id& job,
                const device_client_config& config)
      : system_(system), gpu_(gpu), job_(job), config_(config) {
    // nop
  }

  std::vector<pipeline::seen_faces> find_faces(std::span<const pipeline::image> frames) override {
    return ask<pipeline::seen_faces>(atom::find_v, frames);
  }

  std::vector<pipeline::face_points>
  locate_points(std::span<const pipeline::image> frames) override {
    return ask<pipeline::face_points>(atom::locate_v, frames);
  }

  std::vector<pipeline::image> parse_faces(std::span<const pipeline::image> pictures) override {
    return ask<pipeline::image>(atom::parse_v, pictures);
  }

private:
  template <class T, class Atom>
  std::vector<T> ask(Atom what, std::span<const pipeline::image> pictures) {
    auto self = caf::scoped_actor{system_};
    // A device that ends leaves requests unanswered when it cannot help it: its end is heard too.
    // Hence plain messages: a request would hear of nothing but its answer.
    self->monitor(gpu_);
    const auto deadline = steady_clock::now() + config_.timeout;
    auto left = [&] {
      auto rest = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      return std::max(rest, milliseconds{0});
    };
    auto answer = std::optional<std::vector<T>>{};
    auto failure = caf::error{};
    auto ended = [&](const caf::down_msg& x) {
      failure = make_error(code_of(x.reason), detail_of(x.reason));
    };
    auto late = [&] {
      failure = make_error(caf::sec::request_timeout);
    };
    auto input = std::vector(pictures.begin(), pictures.end());
    while (!answer && !failure) {
      self->send(gpu_, what, job_, work_class::create, input);
      self->receive([&](std::vector<T>& x) { answer = std::move(x); },
                    [&](caf::error& x) { failure = std::move(x); }, ended,
                    caf::after(left()) >> late);
      if (failure && code_of(failure) == errc::device_busy) {
        failure = caf::none;
        self->receive(
            ended, caf::after(std::min(left(), config_.busy_retry)) >> [] {});
      }
    }
    if (failure)
      throw error(code_of(failure), detail_of(failure));
    return std::move(*answer);
  }

  caf::actor_system& system_;
  gpu_scheduler_actor gpu_;
  job_id job_;
  device_client_config config_;
};

} // namespace

std::shared_ptr<pipeline::face_analysis> make_device_client(caf::actor_system& system,
                                                            const gpu_scheduler_actor& gpu,
                                                            const job_id& job,
                                                            const device_client_config& config) {
  return std::make_shared<device_client>(system, gpu, job, config);
}

} // namespace musetalk::actors
