#include "actors/gpu_scheduler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace musetalk::actors {

namespace {

using batch_limit = gpu_scheduler_state::batch_limit;

/// After so many good executions a halved batch may grow again: what filled the memory may be gone.
constexpr size_t executions_before_growth = 64;

void report(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  state.status.waiting = static_cast<uint32_t>(state.queue.size());
  state.reported = self->clock().now();
  parts.report(state.status);
}

void lose(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts, const caf::error& why) {
  auto& state = self->state;
  state.lost = true;
  state.status.ready = false;
  report(self, parts);
  parts.fatal("the device " + state.status.device.device + " is lost: " + detail_of(why));
}

// Bad input fails one job; a device that fails the smallest execution there is fails all.
bool is_lost(gpu_scheduler_pointer self, const caf::error& why) {
  if (code_of(why) != errc::device_failed)
    return code_of(why) == errc::device_lost;
  auto alive = self->guarded([&] { self->state.networks->try_out(); });
  return !alive && (code_of(alive.error()) == errc::device_failed ||
                    code_of(alive.error()) == errc::device_lost);
}

// Decides what a failed execution means for those who shared it.
void settle_failure(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts,
                    const std::vector<slice>& slices, size_t frames, const caf::error& why) {
  auto& state = self->state;
  auto& head = state.queue.front();
  if (code_of(why) == errc::device_out_of_memory && frames > 1) {
    auto& limit = state.limits[head.request.index()];
    limit = {std::max<size_t>(frames / 2, 1), 0};
    spdlog::warn("device out of memory with {} frames; trying {}", frames, limit.frames);
    return;
  }
  if (is_lost(self, why)) {
    lose(self, parts, why);
    return;
  }
  if (slices.size() > 1) {
    // One of them may be at fault: each tries for itself.
    for (const auto& x : slices)
      state.queue[x.index].alone = true;
    return;
  }
  auto failed = std::move(head);
  state.queue.pop_front();
  refuse(failed.request, why);
}

void count_good(batch_limit& limit, size_t most) {
  if (++limit.good_executions < executions_before_growth || limit.frames >= most)
    return;
  limit = {std::min(limit.frames * 2, most), 0};
}

template <class Kind>
void execute(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
             const gpu_scheduler_parts& parts, const std::vector<slice>& slices) {
  auto& state = self->state;
  auto inputs = gather<Kind>(state.queue, slices);
  auto& status = state.status;
  status.running_frames = static_cast<uint32_t>(inputs.size());
  if (self->clock().now() - state.reported >= config.report_interval)
    report(self, parts);
  auto outputs = self->guarded([&] {
    auto result = Kind::run(*state.networks, inputs);
    if (result.size() != inputs.size())
      throw error(errc::internal, "The device gave another count of results than was asked.",
                  Kind::name);
    return result;
  });
  status.running_frames = 0;
  ++status.executions;
  if (outputs) {
    status.frames += inputs.size();
    count_good(state.limits[state.queue.front().request.index()], config.max_batch_frames);
    deal_out<Kind>(state.queue, slices, std::move(*outputs));
  } else {
    settle_failure(self, parts, slices, inputs.size(), outputs.error());
  }
  if (state.queue.empty())
    report(self, parts);
}

void run_next(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
              const gpu_scheduler_parts& parts) {
  auto& queue = self->state.queue;
  const auto& head = queue.front().request;
  auto slices = plan(queue, self->state.limits[head.index()].frames);
  std::visit(
      [&]<class Kind>(const request_of<Kind>&) { execute<Kind>(self, config, parts, slices); },
      head);
}

void wake(gpu_scheduler_pointer self) {
  auto& state = self->state;
  if (state.next_sent || state.lost || state.queue.empty())
    return;
  state.next_sent = true;
  self->send(self, atom::next_v);
}

template <class Kind>
caf::result<std::vector<typename Kind::output>>
take(gpu_scheduler_pointer self, const gpu_scheduler_config& config, const job_id& job,
     work_class priority, const std::vector<typename Kind::input>& inputs) {
  auto& queue = self->state.queue;
  if (inputs.empty())
    return std::vector<typename Kind::output>{};
  if (queue.size() >= config.max_waiting_requests)
    return make_error(errc::device_busy, "The device has " + std::to_string(queue.size()) +
                                             " requests waiting; its limit is " +
                                             std::to_string(config.max_waiting_requests) + ".");
  auto reply = self->template make_response_promise<std::vector<typename Kind::output>>();
  put(queue, {job, priority, request_of<Kind>{inputs, {}, reply},
              Kind::most_together(inputs, config.max_find_pixels), false});
  wake(self);
  return reply;
}

void answer_all(gpu_scheduler_pointer self, const std::string& why) {
  for (auto& waiting : self->state.queue)
    refuse(waiting.request, make_error(errc::cancelled, why));
  self->state.queue.clear();
}

// The first execution of a network takes memory and time that no job should pay for.
void warm_up(gpu_scheduler_state& state, size_t most) {
  auto begin = std::chrono::steady_clock::now();
  state.networks->warm_up(most);
  auto spent = std::chrono::steady_clock::now() - begin;
  spdlog::info("the networks are warm on {} after {} ms", state.status.device.device,
               std::chrono::duration_cast<std::chrono::milliseconds>(spent).count());
}

void prepare(gpu_scheduler_state& state, const gpu_scheduler_config& config,
             const gpu_scheduler_parts& parts) {
  auto most = std::max<size_t>(config.max_batch_frames, 1);
  state.limits.fill({most, 0});
  state.networks = parts.make_networks();
  state.status.device = state.networks->report();
  if (const auto& note = state.status.device.note; !note.empty())
    spdlog::info("{}", note);
  warm_up(state, most);
  state.status.ready = true;
}

} // namespace

gpu_scheduler_actor::behavior_type gpu_scheduler(gpu_scheduler_pointer self,
                                                 const gpu_scheduler_config& config,
                                                 const gpu_scheduler_parts& parts) {
  if (auto ready = self->guarded([&] { prepare(self->state, config, parts); }); !ready) {
    // No service without its networks: a start with the reason in the log is better than jobs that
    // all fail.
    parts.fatal("the networks cannot be loaded: " + detail_of(ready.error()));
    self->quit(ready.error());
    return gpu_scheduler_actor::behavior_type::make_empty_behavior();
  }
  report(self, parts);
  // A promise that dies unanswered leaves its asker waiting, so the end answers everyone first.
  self->set_exit_handler([=](caf::exit_msg& x) {
    answer_all(self, "The service is stopping.");
    self->quit(x.reason);
  });
  return {
      [=](atom::encode, const job_id& job, work_class priority,
          const std::vector<pipeline::image>& crops) {
        return take<encode_work>(self, config, job, priority, crops);
      },
      [=](atom::find, const job_id& job, work_class priority,
          const std::vector<pipeline::image>& frames) {
        return take<find_work>(self, config, job, priority, frames);
      },
      [=](atom::locate, const job_id& job, work_class priority,
          const std::vector<pipeline::image>& frames) {
        return take<locate_work>(self, config, job, priority, frames);
      },
      [=](atom::parse, const job_id& job, work_class priority,
          const std::vector<pipeline::image>& pictures) {
        return take<parse_work>(self, config, job, priority, pictures);
      },
      [=](atom::listen, const job_id& job, work_class priority,
          const std::vector<pipeline::sound_segment>& segments) {
        return take<listen_work>(self, config, job, priority, segments);
      },
      [=](atom::generate, const job_id& job, work_class priority,
          const std::vector<pipeline::lip_request>& requests) {
        return take<generate_work>(self, config, job, priority, requests);
      },
      [=](atom::cancel, const job_id& job) {
        auto& queue = self->state.queue;
        auto gone = std::stable_partition(queue.begin(), queue.end(),
                                          [&](const waiting_work& x) { return !(x.job == job); });
        for (auto i = gone; i != queue.end(); ++i)
          refuse(i->request, make_error(errc::cancelled, "The work was withdrawn."));
        queue.erase(gone, queue.end());
      },
      [=](atom::status) {
        auto result = self->state.status;
        result.waiting = static_cast<uint32_t>(self->state.queue.size());
        return result;
      },
      [=](atom::next) {
        self->state.next_sent = false;
        if (self->state.queue.empty() || self->state.lost)
          return;
        run_next(self, config, parts);
        wake(self);
      },
  };
}

} // namespace musetalk::actors
