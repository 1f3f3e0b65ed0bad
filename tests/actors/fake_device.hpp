#pragma once

#include "actors/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <optional>
#include <vector>

namespace musetalk::tests {

/// A GPU SCHEDULER that answers one request each time it is told `atom::next`, so that tests can
/// hold work on the device.
struct held_device {
  struct request {
    std::vector<pipeline::image> crops;
    caf::typed_response_promise<std::vector<pipeline::latent>> reply;
  };

  std::deque<request> waiting;
  size_t most_waiting = 0;
  std::vector<std::string> cancelled; ///< Job ids.
  std::optional<errc> refuse;         ///< Answers the next request with it, once.
  bool newest = false;                ///< Answers the newest first.

  /// Answers one request. Only inside a handler: promises need their actor's context.
  void answer() {
    if (waiting.empty())
      return;
    auto x = newest ? waiting.back() : waiting.front();
    newest ? waiting.pop_back() : waiting.pop_front();
    auto result = std::vector<pipeline::latent>{};
    for (const auto& crop : x.crops)
      result.push_back(
          {std::make_shared<const std::vector<uint16_t>>(1, static_cast<uint16_t>(crop.width))});
    x.reply.deliver(std::move(result));
  }

  void answer_all_cancelled() {
    for (auto& x : waiting)
      x.reply.deliver(actors::make_error(errc::cancelled, "The work was withdrawn."));
    waiting.clear();
  }
};

inline actors::gpu_scheduler_actor::behavior_type
fake_gpu(actors::gpu_scheduler_actor::pointer self, held_device* device) {
  using namespace actors;
  return {
      [=](atom::encode, const job_id&, work_class,
          const std::vector<pipeline::image>& crops) -> caf::result<std::vector<pipeline::latent>> {
        if (auto refused = std::exchange(device->refuse, std::nullopt))
          return make_error(*refused, "The device refused.");
        auto reply = self->make_response_promise<std::vector<pipeline::latent>>();
        device->waiting.push_back({crops, reply});
        device->most_waiting = std::max(device->most_waiting, device->waiting.size());
        return reply;
      },
      [=](atom::find, const job_id&, work_class, const std::vector<pipeline::image>& x) {
        return std::vector<pipeline::seen_faces>(x.size());
      },
      [=](atom::locate, const job_id&, work_class, const std::vector<pipeline::image>& x) {
        return std::vector<pipeline::face_points>(x.size());
      },
      [=](atom::parse, const job_id&, work_class, const std::vector<pipeline::image>& x) {
        return x;
      },
      [=](atom::listen, const job_id&, work_class, const std::vector<pipeline::sound_segment>& x) {
        return std::vector<pipeline::heard_sound>(x.size());
      },
      [=](atom::generate, const job_id&, work_class, const std::vector<pipeline::lip_request>& x) {
        return std::vector<pipeline::image>(x.size());
      },
      [=](atom::cancel, const job_id& job) {
        device->cancelled.push_back(job.value);
        device->answer_all_cancelled();
      },
      [](atom::status) { return device_status{}; },
      [=](atom::next) { device->answer(); },
  };
}

} // namespace musetalk::tests
