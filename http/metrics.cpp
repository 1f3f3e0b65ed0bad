#include "http/metrics.hpp"

#include "http/metrics_families.hpp"

#include <algorithm>
#include <map>

namespace musetalk::http {

namespace {

double number(auto x) {
  return static_cast<double>(x);
}

void add_service(metric_list& to, const metrics_input& x) {
  to.gauges("musetalkd_build_info", "Always 1; the labels say what runs.");
  to.add({{"version", x.version}, {"mode", x.mode}}, 1);
  to.gauge("musetalkd_registry_up", "Whether the registry answers in time.", x.queue ? 1 : 0);
}

void add_jobs(metric_list& to, const metrics_input& x) {
  if (x.queue) {
    const auto& queue = *x.queue;
    to.gauges("musetalkd_jobs", "Jobs that have not ended, by state.");
    to.add({{"state", "queued"}}, queue.queued);
    to.add({{"state", "running"}}, queue.running);
    to.gauge("musetalkd_queue_limit_jobs", "Jobs that may wait.", queue.limit);
    to.counters("musetalkd_jobs_ended_total", "Jobs that have ended since the start, by state.");
    to.add({{"state", "completed"}}, number(queue.completed));
    to.add({{"state", "failed"}}, number(queue.failed));
    to.add({{"state", "cancelled"}}, number(queue.cancelled));
  }
  to.histograms("musetalkd_job_stage_duration_seconds",
                "Wall time of a job's stages; names with a dot are parts of a stage.");
  for (const auto& [stage, seconds] : x.figures.stages)
    to.add({{"stage", stage}}, seconds);
}

/// The worst of all living actors of one name: runners share theirs.
struct worst {
  uint64_t depth = 0;
  int64_t oldest_us = 0;
  int64_t current_us = 0;
};

void add_actors(metric_list& to, const metrics_input& x) {
  auto living = std::map<std::string, worst>{};
  for (const auto& [reading, rate, busy, over] : x.actors) {
    auto& all = living[reading.name];
    all.depth = std::max(all.depth, reading.depth);
    all.oldest_us = std::max(all.oldest_us, reading.oldest_us);
    all.current_us = std::max(all.current_us, reading.current_us);
  }
  to.gauges("musetalkd_actor_mailbox_messages", "Messages in the mailbox, the current one too.");
  for (const auto& [name, all] : living)
    to.add({{"actor", name}}, number(all.depth));
  to.gauges("musetalkd_actor_oldest_message_age_seconds", "How long the oldest message waits.");
  for (const auto& [name, all] : living)
    to.add({{"actor", name}}, number(all.oldest_us) / 1e6);
  to.gauges("musetalkd_actor_current_message_seconds", "For how long the current one is handled.");
  for (const auto& [name, all] : living)
    to.add({{"actor", name}}, number(all.current_us) / 1e6);
  to.counters("musetalkd_actor_messages_total", "Messages handled.");
  for (const auto& [name, totals] : x.totals)
    to.add({{"actor", name}}, number(totals.handled));
  to.counters("musetalkd_actor_errors_total", "Errors that an actor noted.");
  for (const auto& [name, totals] : x.totals)
    to.add({{"actor", name}}, number(totals.errors));
  to.counters("musetalkd_actor_busy_seconds_total", "Time in handlers.");
  for (const auto& [name, totals] : x.totals)
    to.add({{"actor", name}}, number(totals.busy_us) / 1e6);
  to.counters("musetalkd_actor_ends_total", "Actors that have ended, as planned or not.");
  for (const auto& [name, totals] : x.totals)
    to.add({{"actor", name}}, number(totals.ended));
  to.counters("musetalkd_actor_limits_passed_total",
              "How often a limit of MUSETALKD_WATCH_ was passed.");
  for (size_t i = 0; i < actors::watch_kinds; ++i)
    to.add({{"limit", to_string(static_cast<actors::watch_kind>(i))}}, number(x.watch_events[i]));
}

void add_device(metric_list& to, const metrics_input& x) {
  if (x.queue) {
    const auto& device = x.queue->device;
    to.gauge("musetalkd_device_ready", "Whether the networks are loaded.", device.ready ? 1 : 0);
    to.gauges("musetalkd_device_memory_bytes", "Memory of the device.");
    to.add({{"device", device.device.device}}, number(device.device.memory_bytes));
  }
  to.gauges("musetalkd_device_waiting_requests", "Requests that wait for the device, by class.");
  for (const auto& [name, count] : x.figures.waiting)
    to.add({{"class", name}}, number(count));
  to.counters("musetalkd_device_failed_executions_total",
              "Executions that failed, by kind of work.");
  for (const auto& [kind, counts] : x.figures.executions)
    to.add({{"kind", kind}}, number(counts.failed));
  to.histograms("musetalkd_device_execution_duration_seconds", "Executions, by kind of work.");
  for (const auto& [kind, counts] : x.figures.executions)
    to.add({{"kind", kind}}, counts.seconds);
  to.histograms("musetalkd_device_batch_size", "Inputs of one execution, by kind of work.");
  for (const auto& [kind, counts] : x.figures.executions)
    to.add({{"kind", kind}}, counts.inputs);
}

void add_requests(metric_list& to, const metrics_input& x) {
  to.counters("musetalkd_http_requests_total", "Requests answered, by route and status.");
  for (const auto& [key, count] : x.requests.answers) {
    const auto& [route, method, status] = key;
    to.add({{"route", route}, {"method", method}, {"status", std::to_string(status)}},
           number(count));
  }
  to.histograms("musetalkd_http_request_duration_seconds",
                "From the first byte of a request to the last of its answer.");
  for (const auto& [key, seconds] : x.requests.seconds)
    to.add({{"route", std::get<0>(key)}, {"method", std::get<1>(key)}}, seconds);
  to.counter("musetalkd_http_received_bytes_total", "Bodies of requests.",
             number(x.requests.bytes_in));
  to.counter("musetalkd_http_sent_bytes_total", "Answers.", number(x.requests.bytes_out));
}

void add_storage(metric_list& to, const metrics_input& x) {
  to.gauge("musetalkd_storage_free_bytes", "Free where the avatars lie.",
           number(x.disk_free_bytes));
  to.gauge("musetalkd_storage_size_bytes", "Size of the file system where the avatars lie.",
           number(x.disk_size_bytes));
  to.histograms("musetalkd_storage_sync_duration_seconds",
                "How long the disk took to sync a file.");
  const auto& bounds = pipeline::sync_counts::bounds;
  to.add({}, actors::bucket_counts{{bounds.begin(), bounds.end()},
                                   {x.syncs.counts.begin(), x.syncs.counts.end()},
                                   x.syncs.sum_s});
}

void add_process(metric_list& to, const process_figures& x) {
  to.counter("process_cpu_seconds_total", "User and system time.", x.cpu_seconds);
  to.gauge("process_resident_memory_bytes", "Resident memory.", number(x.resident_bytes));
  to.gauge("process_virtual_memory_bytes", "Virtual memory.", number(x.virtual_bytes));
  to.gauge("process_open_fds", "Open files.", number(x.open_files));
  to.gauge("process_max_fds", "Files that may be open.", number(x.max_files));
  to.gauge("process_threads", "Threads.", number(x.threads));
  to.gauge("process_start_time_seconds", "Start, since the epoch.", x.start_time_s);
}

} // namespace

std::string metrics_text(const metrics_input& x) {
  auto list = metric_list{};
  add_service(list, x);
  add_jobs(list, x);
  add_actors(list, x);
  add_device(list, x);
  add_requests(list, x);
  add_storage(list, x);
  add_process(list, x.process);
  return list.text();
}

} // namespace musetalk::http
