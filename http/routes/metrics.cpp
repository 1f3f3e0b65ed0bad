#include "http/metrics.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"
#include "pipeline/disk.hpp"

#include <caf/send.hpp>

namespace musetalk::http {

namespace {

response metrics_response(const route_context& context,
                          const std::optional<actors::queue_status>& queue) {
  auto input = metrics_input{};
  input.version = MUSETALKD_VERSION;
  input.mode = context.mode;
  input.queue = queue;
  input.figures = actors::read_figures();
  input.actors = context.observer->actors();
  input.totals = actors::read_totals();
  input.watch_events = context.observer->event_counts();
  input.requests = context.requests->read();
  input.syncs = pipeline::read_sync_counts();
  input.process = read_process_figures();
  if (auto space = pipeline::disk_space_of(context.store.root)) {
    input.disk_free_bytes = space->free_bytes;
    input.disk_size_bytes = space->total_bytes;
  }
  auto result = response{};
  result.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  result.body = metrics_text(input);
  return result;
}

} // namespace

void add_metrics_route(router& to, const route_context& context) {
  to.add("GET", "/metrics", {0}, [=](exchange_ptr x) {
    require_known_query(x->in(), {});
    auto answer = [=](const std::optional<actors::queue_status>& queue) {
      return metrics_response(context, queue);
    };
    caf::anon_send(context.front_end, show_metrics{std::move(x), std::move(answer)});
  });
}

} // namespace musetalk::http
