#include "actors/system_settings.hpp"

#include <algorithm>

namespace musetalk::actors {

namespace {

std::string weights_of(const system_config& x) {
  if (x.mock)
    return "none";
  return x.synthetic ? "synthetic" : "real";
}

} // namespace

actor_config::actor_config(size_t pool_threads) {
  add_message_types<caf::id_block::musetalk>();
  // An idle service costs nothing under `sharing`; work stealing polls.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::max<size_t>(pool_threads, 1));
}

registry_config registry_settings(const system_config& x) {
  auto result = registry_config{};
  result.queue_limit = x.queue_limit;
  result.running_jobs = std::max<size_t>(x.running_jobs, 1);
  result.max_attempts = x.max_attempts;
  result.max_waiters = x.max_waiters;
  result.max_wait = x.max_wait;
  result.step_timeout = x.step_timeout;
  result.keep_failed = x.keep_failed;
  result.upload_idle = x.upload_idle_timeout;
  result.retention = x.retention;
  result.keep_events_us = std::chrono::microseconds{x.keep_events}.count();
  result.max_events = x.max_events;
  result.engine = x.mock ? "mock" : "native";
  result.weights = weights_of(x);
  result.work = x.work;
  if (!x.mock)
    result.missing_models = x.missing_models;
  result.missing_to_speak = x.missing_to_speak;
  return result;
}

musetalk_runner_config runner_settings(const system_config& x,
                                       const pipeline::store_layout& layout) {
  auto result = musetalk_runner_config{};
  result.layout = layout;
  result.mock = x.mock;
  result.faces = x.faces;
  result.batch_frames = x.batch_frames;
  result.credit_batches = x.credit_batches;
  result.step_timeout = x.step_timeout;
  result.job_timeout = x.job_timeout;
  return result;
}

speech_runner_config speech_settings(const system_config& x, const pipeline::store_layout& layout) {
  auto result = speech_runner_config{};
  result.layout = layout;
  result.batch_frames = x.batch_frames;
  result.credit_batches = x.credit_batches;
  result.step_timeout = x.step_timeout;
  result.job_timeout = x.job_timeout;
  return result;
}

gpu_scheduler_config gpu_settings(const system_config& x) {
  auto result = gpu_scheduler_config{};
  result.max_waiting_requests = x.device_queue_limit;
  result.max_batch_frames = x.device_batch_frames;
  return result;
}

device_client_config client_settings(const system_config& x) {
  auto result = device_client_config{};
  result.timeout = x.step_timeout;
  return result;
}

import_runner_config import_settings(const system_config& x, const pipeline::store_layout& layout) {
  auto result = import_runner_config{};
  result.layout = layout;
  result.limits = x.import_limits;
  result.faces = x.faces;
  result.batch_frames = x.batch_frames;
  result.step_timeout = x.step_timeout;
  return result;
}

janitor_config janitor_settings(const system_config& x) {
  auto result = janitor_config{};
  const auto& keep = x.retention;
  // Where everything is kept, nobody needs to look.
  if (keep.keep_versions > 0 || keep.expire_us > 0 || keep.max_bytes > 0)
    result.clean_interval = x.clean_interval;
  result.scrub_bytes = x.scrub_bytes;
  result.scrub_age = x.scrub_age;
  return result;
}

upload_receiver_config upload_settings(const system_config& x) {
  auto result = upload_receiver_config{};
  result.idle_timeout = x.upload_idle_timeout;
  result.step_timeout = x.step_timeout;
  return result;
}

} // namespace musetalk::actors
