#include "actors/gpu_scheduler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

namespace musetalk::actors {

namespace {

using work = gpu_scheduler_state::work;

/// After so many good executions a halved batch may grow again: what filled the memory may be gone.
constexpr size_t executions_before_growth = 64;

/// A run of one request's crops inside an execution.
struct slice {
  size_t index; ///< Of the request in the queue.
  size_t count; ///< Frames.
};

size_t left(const work& x) {
  return x.crops.size() - x.latents.size();
}

// Whole requests of the head's class, so that each is answered as early as can be; only a head that
// is larger than the limit is cut.
std::vector<slice> plan(const std::deque<work>& queue, size_t limit) {
  auto result = std::vector<slice>{{0, std::min(left(queue.front()), limit)}};
  auto frames = result.front().count;
  if (queue.front().alone || frames < left(queue.front()))
    return result;
  for (size_t i = 1; i < queue.size(); ++i) {
    const auto& x = queue[i];
    if (x.priority != queue.front().priority || x.alone || frames + left(x) > limit)
      break;
    result.push_back({i, left(x)});
    frames += left(x);
  }
  return result;
}

std::vector<pipeline::image> gather(const std::deque<work>& queue,
                                    const std::vector<slice>& slices) {
  auto result = std::vector<pipeline::image>{};
  for (const auto& x : slices) {
    auto first = queue[x.index].crops.begin() + std::ssize(queue[x.index].latents);
    std::copy_n(first, x.count, std::back_inserter(result));
  }
  return result;
}

void report(gpu_scheduler_pointer self, const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  state.status.waiting = static_cast<uint32_t>(state.queue.size());
  state.reported = self->clock().now();
  parts.report(state.status);
}

// Gives the latents to their requests and answers those that are complete.
void deal_out(gpu_scheduler_state& state, const std::vector<slice>& slices,
              std::vector<pipeline::latent> latents) {
  auto from = latents.begin();
  for (const auto& x : slices) {
    auto& target = state.queue[x.index].latents;
    auto to = from + static_cast<ptrdiff_t>(x.count);
    target.insert(target.end(), std::make_move_iterator(from), std::make_move_iterator(to));
    from = to;
  }
  // Only a lone, cut head can be incomplete.
  while (!state.queue.empty() && left(state.queue.front()) == 0) {
    auto done = std::move(state.queue.front());
    state.queue.pop_front();
    done.reply.deliver(std::move(done.latents));
  }
}

// Decides what a failed execution means for those who shared it.
void settle_failure(gpu_scheduler_state& state, const std::vector<slice>& slices, size_t frames,
                    const caf::error& why) {
  if (code_of(why) == errc::device_out_of_memory && frames > 1) {
    state.batch_limit = std::max<size_t>(frames / 2, 1);
    state.good_executions = 0;
    spdlog::warn("device out of memory with {} frames; trying {}", frames, state.batch_limit);
    return;
  }
  if (slices.size() > 1) {
    // One of them may be at fault: each tries for itself.
    for (const auto& x : slices)
      state.queue[x.index].alone = true;
    return;
  }
  auto failed = std::move(state.queue.front());
  state.queue.pop_front();
  failed.reply.deliver(why);
}

void run_next(gpu_scheduler_pointer self, const gpu_scheduler_config& config,
              const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  auto slices = plan(state.queue, state.batch_limit);
  auto crops = gather(state.queue, slices);
  auto& status = state.status;
  status.running_frames = static_cast<uint32_t>(crops.size());
  if (self->clock().now() - state.reported >= config.report_interval)
    report(self, parts);
  auto latents = self->guarded([&] {
    auto result = state.encoder->encode(crops);
    if (result.size() != crops.size())
      throw error(errc::device_failed, "The device gave another count of results than was asked.");
    return result;
  });
  status.running_frames = 0;
  ++status.executions;
  if (latents) {
    status.frames += crops.size();
    if (++state.good_executions >= executions_before_growth &&
        state.batch_limit < config.max_batch_frames) {
      state.batch_limit = std::min(state.batch_limit * 2, config.max_batch_frames);
      state.good_executions = 0;
    }
    deal_out(state, slices, std::move(*latents));
  } else {
    settle_failure(state, slices, crops.size(), latents.error());
  }
  if (state.queue.empty())
    report(self, parts);
}

void wake(gpu_scheduler_pointer self) {
  if (self->state.next_sent || self->state.queue.empty())
    return;
  self->state.next_sent = true;
  self->send(self, atom::next_v);
}

} // namespace

gpu_scheduler_actor::behavior_type gpu_scheduler(gpu_scheduler_pointer self,
                                                 const gpu_scheduler_config& config,
                                                 const gpu_scheduler_parts& parts) {
  auto& state = self->state;
  state.batch_limit = std::max<size_t>(config.max_batch_frames, 1);
  auto encoder = self->guarded([&] { return parts.make_encoder(); });
  if (!encoder) {
    // No service without its networks: a start with the reason in the log is better than jobs that
    // all fail.
    parts.fatal("the networks cannot be loaded: " + detail_of(encoder.error()));
    self->quit(encoder.error());
    return gpu_scheduler_actor::behavior_type::make_empty_behavior();
  }
  state.encoder = std::move(*encoder);
  state.status.ready = true;
  state.status.device = state.encoder->report();
  report(self, parts);
  // A promise that dies unanswered leaves its asker waiting, so the end answers everyone first.
  self->set_exit_handler([=](caf::exit_msg& x) {
    for (auto& waiting : self->state.queue)
      waiting.reply.deliver(make_error(errc::cancelled, "The service is stopping."));
    self->state.queue.clear();
    self->quit(x.reason);
  });
  return {
      [=](atom::encode, const job_id& job, work_class priority,
          const std::vector<pipeline::image>& crops) -> caf::result<std::vector<pipeline::latent>> {
        auto& queue = self->state.queue;
        if (crops.empty())
          return std::vector<pipeline::latent>{};
        if (queue.size() >= config.max_waiting_requests)
          return make_error(errc::device_busy, "The device has " + std::to_string(queue.size()) +
                                                   " requests waiting; its limit is " +
                                                   std::to_string(config.max_waiting_requests) +
                                                   ".");
        auto reply = self->make_response_promise<std::vector<pipeline::latent>>();
        auto place = std::upper_bound(
            queue.begin(), queue.end(), priority,
            [](work_class x, const work& waiting) { return x < waiting.priority; });
        queue.insert(place, {job, priority, crops, {}, false, reply});
        wake(self);
        return reply;
      },
      [=](atom::cancel, const job_id& job) {
        auto& queue = self->state.queue;
        auto gone = std::stable_partition(queue.begin(), queue.end(),
                                          [&](const work& x) { return !(x.job == job); });
        for (auto i = gone; i != queue.end(); ++i)
          i->reply.deliver(make_error(errc::cancelled, "The work was withdrawn."));
        queue.erase(gone, queue.end());
      },
      [=](atom::status) {
        auto result = self->state.status;
        result.waiting = static_cast<uint32_t>(self->state.queue.size());
        return result;
      },
      [=](atom::next) {
        self->state.next_sent = false;
        if (self->state.queue.empty())
          return;
        run_next(self, config, parts);
        wake(self);
      },
  };
}

} // namespace musetalk::actors
