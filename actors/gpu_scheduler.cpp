#include "actors/gpu_scheduler.hpp"

#include "actors/figures.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace musetalk::actors {

namespace {

void report(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  state.status.waiting = static_cast<uint32_t>(count_waiting(state.queue));
  state.reported = self->clock().now();
  parts.report(state.status);
}

// For the metrics.
void tell_waiting(const device_queue& queue) {
  auto by_class = std::map<std::string, uint64_t>{{"speak", 0}, {"create", 0}};
  for (const auto& x : queue)
    ++by_class[x.priority == work_class::speak ? "speak" : "create"];
  note_waiting(by_class);
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

// What is under way beside a failed execution is worth nothing: its answers are taken and dropped.
void drop_under_way(gpu_scheduler_pointer self) {
  auto& state = self->state;
  for (const auto& x : std::exchange(state.under_way, {}))
    with_kind(x.kind, [&]<class Kind>() {
      if constexpr (overlapping<Kind>)
        std::ignore = self->guarded([&] { Kind::finish(*state.networks); });
    });
  begin_again(state.queue);
}

// Decides what a failed execution means for those who shared it.
void settle_failure(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts,
                    const execution& failed, const caf::error& why) {
  auto& state = self->state;
  drop_under_way(self);
  if (code_of(why) == errc::device_out_of_memory && failed.frames() > 1) {
    auto& limit = state.limits[failed.kind];
    limit = {std::max<size_t>(failed.frames() / 2, 1), 0};
    spdlog::warn("device out of memory with {} frames; trying {}", failed.frames(), limit.frames);
    return;
  }
  if (is_lost(self, why)) {
    lose(self, parts, why);
    return;
  }
  for (const auto& x : failed.slices) {
    auto place = find(state.queue, x.ticket);
    if (place == state.queue.end())
      continue;
    if (failed.slices.size() > 1) {
      // One of them may be at fault: each tries for itself.
      place->alone = true;
      continue;
    }
    auto rejected = std::move(*place);
    state.queue.erase(place);
    refuse(rejected.request, why);
  }
}

void count_running(gpu_scheduler_state& state) {
  auto frames = size_t{0};
  for (const auto& x : state.under_way)
    frames += x.frames();
  state.status.running_frames = static_cast<uint32_t>(frames);
}

template <class Kind>
void settle(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
            const gpu_scheduler_parts& parts, const execution& done,
            caf::expected<std::vector<typename Kind::output>> outputs) {
  auto& state = self->state;
  ++state.status.executions;
  if (outputs && outputs->size() != done.frames()) {
    outputs =
        make_error(errc::internal, std::string{"The device gave another count of results of "} +
                                       Kind::name + " than was asked.");
    self->note(outputs.error());
  }
  auto spent = std::chrono::duration<double>{std::chrono::steady_clock::now() - done.began};
  note_execution(Kind::name, done.frames(), spent.count(), bool{outputs});
  if (outputs) {
    state.status.frames += done.frames();
    state.limits[done.kind].count_good(config.max_batch_frames);
    deal_out<Kind>(state.queue, done.slices, std::move(*outputs));
  } else {
    settle_failure(self, parts, done, outputs.error());
  }
  count_running(state);
  if (state.queue.empty())
    report(self, parts);
}

// Takes the answer of the oldest execution, and waits for it.
void collect(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
             const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  auto oldest = std::move(state.under_way.front());
  state.under_way.pop_front();
  with_kind(oldest.kind, [&]<class Kind>() {
    if constexpr (overlapping<Kind>)
      settle<Kind>(self, config, parts, oldest,
                   self->guarded([&] { return Kind::finish(*state.networks); }));
  });
}

// Gives the device an execution, and waits for its answer where nothing overlaps.
template <class Kind>
void begin(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
           const gpu_scheduler_parts& parts, execution x) {
  auto& state = self->state;
  auto inputs = gather<Kind>(state.queue, x.slices);
  state.status.running_frames += static_cast<uint32_t>(inputs.size());
  if (self->clock().now() - state.reported >= config.report_interval)
    report(self, parts);
  x.began = std::chrono::steady_clock::now();
  if constexpr (overlapping<Kind>)
    if (state.networks->most_begun() > 0) {
      auto begun = self->guarded([&] { Kind::begin(*state.networks, inputs); });
      if (begun)
        state.under_way.push_back(std::move(x));
      else
        settle<Kind>(self, config, parts, x, begun.error());
      return;
    }
  settle<Kind>(self, config, parts, x,
               self->guarded([&] { return Kind::run(*state.networks, inputs); }));
}

// The most urgent request decides what may begin: work that does not overlap waits until nothing is
// under way, and nothing passes it meanwhile.
bool may_begin(gpu_scheduler_state& state) {
  auto head = next_in(state.queue);
  if (head == state.queue.end() || state.under_way.size() >= pipeline::max_executions)
    return false;
  auto overlaps = false;
  with_kind(head->request.index(), [&]<class Kind>() { overlaps = overlapping<Kind>; });
  return state.under_way.empty() || overlaps;
}

void begin_next(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
                const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  auto head = next_in(state.queue);
  auto kind = head->request.index();
  with_kind(kind, [&]<class Kind>() {
    auto limit = state.limits[kind].frames;
    if (auto most = state.networks->most_begun(); overlapping<Kind> && most > 0)
      limit = std::min(limit, most);
    begin<Kind>(self, config, parts, {kind, plan(state.queue, head, limit)});
  });
}

// One step: the device is kept full, and whoever has been answered is told early.
void step(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
          const gpu_scheduler_parts& parts) {
  if (may_begin(self->state))
    begin_next(self, config, parts);
  else if (!self->state.under_way.empty())
    collect(self, config, parts);
}

void wake(gpu_scheduler_pointer self) {
  auto& state = self->state;
  if (state.next_sent || state.lost || (state.queue.empty() && state.under_way.empty()))
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
  if (auto waiting = count_waiting(queue); waiting >= config.max_waiting_requests)
    return make_error(errc::device_busy, "The device has " + std::to_string(waiting) +
                                             " requests waiting; its limit is " +
                                             std::to_string(config.max_waiting_requests) + ".");
  auto reply = self->template make_response_promise<std::vector<typename Kind::output>>();
  put(queue, {++self->state.last_ticket, job, priority, request_of<Kind>{inputs, {}, 0, reply},
              Kind::most_together(inputs, config.max_find_pixels), false});
  tell_waiting(queue);
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
        result.waiting = static_cast<uint32_t>(count_waiting(self->state.queue));
        return result;
      },
      [=](atom::next) {
        self->state.next_sent = false;
        if (self->state.lost)
          return;
        step(self, config, parts);
        tell_waiting(self->state.queue);
        wake(self);
      },
  };
}

} // namespace musetalk::actors
