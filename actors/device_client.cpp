#include "actors/device_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace musetalk::actors {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Asks the device and waits.
class device_asker {
public:
  device_asker(caf::actor_system& system, const gpu_scheduler_actor& gpu, const job_id& job,
               work_class priority, const device_client_config& config, std::stop_token stop = {})
      : system_(system), gpu_(gpu), job_(job), priority_(priority), config_(config),
        stop_(std::move(stop)) {
    // nop
  }

  template <class T, class Atom, class Input>
  std::vector<T> ask(Atom what, std::span<const Input> inputs) {
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
    auto withdrawn = [&](atom::cancel) {
      failure = make_error(errc::cancelled, "The work was withdrawn.");
    };
    // An execution on the device has no end but its own: nobody waits for that one any more.
    auto wake = std::stop_callback{stop_, [me = caf::actor_cast<caf::actor>(self)] {
                                     caf::anon_send(me, atom::cancel_v);
                                   }};
    auto input = std::vector(inputs.begin(), inputs.end());
    while (!answer && !failure) {
      self->send(gpu_, what, job_, priority_, input);
      self->receive([&](std::vector<T>& x) { answer = std::move(x); },
                    [&](caf::error& x) { failure = std::move(x); }, ended, withdrawn,
                    caf::after(left()) >> late);
      if (failure && code_of(failure) == errc::device_busy) {
        failure = caf::none;
        self->receive(
            ended, withdrawn, caf::after(std::min(left(), config_.busy_retry)) >> [] {});
      }
    }
    if (failure)
      throw error(code_of(failure), detail_of(failure));
    return std::move(*answer);
  }

private:
  caf::actor_system& system_;
  gpu_scheduler_actor gpu_;
  job_id job_;
  work_class priority_;
  device_client_config config_;
  std::stop_token stop_;
};

class device_client final : public pipeline::face_analysis {
public:
  explicit device_client(device_asker device) : device_(std::move(device)) {
    // nop
  }

  std::vector<pipeline::seen_faces> find_faces(std::span<const pipeline::image> frames) override {
    return device_.ask<pipeline::seen_faces>(atom::find_v, frames);
  }

  std::vector<pipeline::face_points>
  locate_points(std::span<const pipeline::image> frames) override {
    return device_.ask<pipeline::face_points>(atom::locate_v, frames);
  }

  std::vector<pipeline::image> parse_faces(std::span<const pipeline::image> pictures) override {
    return device_.ask<pipeline::image>(atom::parse_v, pictures);
  }

private:
  device_asker device_;
};

class device_listener final : public pipeline::sound_analysis {
public:
  explicit device_listener(device_asker device) : device_(std::move(device)) {
    // nop
  }

  std::vector<pipeline::heard_sound>
  listen(std::span<const pipeline::sound_segment> segments) override {
    return device_.ask<pipeline::heard_sound>(atom::listen_v, segments);
  }

private:
  device_asker device_;
};

} // namespace

std::shared_ptr<pipeline::face_analysis>
make_device_client(caf::actor_system& system, const gpu_scheduler_actor& gpu, const job_id& job,
                   const device_client_config& config, const std::stop_token& stop) {
  return std::make_shared<device_client>(
      device_asker{system, gpu, job, work_class::create, config, stop});
}

std::shared_ptr<pipeline::sound_analysis> make_device_listener(caf::actor_system& system,
                                                               const gpu_scheduler_actor& gpu,
                                                               const job_id& job,
                                                               const device_client_config& config) {
  return std::make_shared<device_listener>(
      device_asker{system, gpu, job, work_class::speak, config});
}

} // namespace musetalk::actors
