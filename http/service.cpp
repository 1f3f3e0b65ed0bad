#include "http/service.hpp"

#include "http/composition.hpp"
#include "http/death_watch.hpp"
#include "http/routes/routes.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace musetalk::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::function<actors::upload_receiver_actor()> uploads_of(actors::service_system& system) {
  return [&system] {
    return system.uploads();
  };
}

front_end_config front_end_config_of(const config::settings& x,
                                     const pipeline::weights_status& weights,
                                     const pipeline::face_methods& faces,
                                     actors::service_system& system) {
  auto result = front_end_config{};
  result.registry = system.registry();
  result.uploads = uploads_of(system);
  result.store = {x.avatars_dir};
  result.models_dir = x.models_dir();
  result.weights_were_missing = x.enable_avatar && !weights.ready;
  result.weights = x.weights_mode();
  result.face_backend = x.face_backend;
  result.faces = faces;
  result.mode = x.enable_avatar ? "native" : "mock";
  result.engine = x.engine;
  result.timeout = seconds{x.request_timeout_seconds};
  return result;
}

event_feed_config event_feed_config_of(const config::settings& x, actors::service_system& system) {
  auto result = event_feed_config{};
  result.registry = system.registry();
  result.timeout = seconds{x.request_timeout_seconds};
  // Those who follow must not take the places of those who ask.
  result.max_followers = std::max<size_t>(static_cast<size_t>(x.http_connections) / 2, 1);
  return result;
}

actors::watch_limits watch_limits_of(const config::settings& x) {
  return {static_cast<uint64_t>(x.watch_mailbox), seconds{x.watch_waiting_seconds},
          seconds{x.watch_handler_seconds}};
}

void log_watch(const actors::watch_event& x) {
  auto about = x.about.empty() ? "" : " for " + x.about;
  auto at = x.message.empty() ? "" : ", now at " + x.message;
  if (x.ended)
    spdlog::info("watch: the {}{} is well again: {} was {:g} at most", x.actor, about,
                 to_string(x.kind), x.value);
  else
    spdlog::warn("watch: the {}{}: {} is {:g}, the limit {:g}{}", x.actor, about, to_string(x.kind),
                 x.value, x.limit, at);
}

server_options counting(server_options options, std::shared_ptr<request_figures> to) {
  options.on_access = [then = std::move(options.on_access), to = std::move(to)](const auto& x) {
    to->note(x);
    if (then)
      then(x);
  };
  return options;
}

exporter_config with_registry(exporter_config x, actors::service_system& system) {
  x.registry = system.registry();
  return x;
}

} // namespace

service::service(const config::settings& settings, const actors::fatal_callback& fatal,
                 std::vector<config::resolved_setting> rows)
    : settings_(settings), rows_(std::move(rows)), lock_(settings.avatars_dir),
      weights_(pipeline::look_at_weights(settings.models_dir(), settings.weights_mode(),
                                         settings.face_backend)),
      faces_(pipeline::choose_faces(settings.face_backend, settings.parsing_mode, weights_)),
      observer_(std::make_shared<actors::observer>(watch_limits_of(settings), log_watch)),
      system_(system_config_of(settings, weights_, faces_.methods),
              system_parts_of(settings, weights_, faces_.methods, fatal)),
      front_end_(system_.actors().spawn(
          front_end, front_end_config_of(settings, weights_, faces_.methods, system_))),
      closer_(
          system_.actors().spawn<caf::detached>(upload_closer, front_end_, uploads_of(system_))),
      events_(system_.actors().spawn<caf::detached>(event_feed,
                                                    event_feed_config_of(settings, system_))),
      exporter_(system_.actors().spawn<caf::detached>(
          exporter, with_registry(exporter_config_of(settings), system_))),
      server_(counting(server_options_of(settings), requests_), make_routes()),
      observing_(observer_) {
  watch_for_death(events_, "event feed", fatal);
  watch_for_death(exporter_, "exporter", fatal);
  watch_for_death(front_end_, "front end", fatal);
  watch_for_death(closer_, "upload closer", fatal);
  if (settings_.enable_avatar && !weights_.ready)
    for (const auto& x : weights_.problems)
      spdlog::warn("avatars cannot be made: {}", x);
  if (settings_.enable_avatar && weights_.ready)
    for (const auto& x : missing_to_speak(settings_, weights_))
      spdlog::warn("avatars cannot speak: {}", x);
  if (settings_.enable_avatar)
    spdlog::info("faces by {}", pipeline::describe(faces_.methods));
  for (const auto& x : faces_.notes)
    spdlog::warn("{}", x);
  if (weights_.mode == "synthetic")
    spdlog::warn("weights are SYNTHETIC: everything that is made is marked so and of no use");
}

service::~service() {
  stop();
}

uint16_t service::listen() {
  auto port = server_.listen();
  auto address = config::endpoint{settings_.listen.host, port};
  spdlog::info("musetalkd " MUSETALKD_VERSION " listens at http://{}, engine {}, mode {}",
               address.text(), settings_.engine, settings_.enable_avatar ? "native" : "mock");
  return port;
}

bool service::stop() {
  if (std::exchange(stopped_, true))
    return true;
  auto deadline = steady_clock::now() + seconds{settings_.shutdown_seconds};
  auto left = [&] {
    auto rest = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    return std::max(rest, milliseconds{1});
  };
  spdlog::info("stopping: requests under way end first");
  caf::anon_send(front_end_, actors::atom::stop_v);
  auto cut = server_.drain(left());
  if (cut > 0)
    spdlog::warn("{} requests were cut", cut);
  end_front_end();
  auto in_time = system_.stop(left());
  spdlog::info("stopped");
  return in_time && cut == 0;
}

router service::make_routes() {
  auto context = route_context{};
  context.front_end = front_end_;
  context.closer = closer_;
  context.events = events_;
  context.exporter = exporter_;
  context.uploads = uploads_of(system_);
  context.store = {settings_.avatars_dir};
  context.max_upload_bytes = settings_.max_upload_bytes();
  context.max_import_bytes = settings_.max_import_bytes();
  context.max_body_bytes = static_cast<uint64_t>(settings_.max_body_kb) * 1000;
  context.max_wait = seconds{settings_.max_wait_seconds};
  context.allowed_origins = settings_.allowed_origins;
  context.mode = settings_.enable_avatar ? "native" : "mock";
  context.observer = observer_;
  context.requests = requests_;
  context.settings = rows_;
  return make_router(context);
}

/// The closer may be in the middle of a sync, which cannot be interrupted; whatever comes after it
/// finds no upload receiver and is removed by the next start.
void service::end_front_end() {
  auto self = caf::scoped_actor{system_.actors()};
  auto end = [&](const auto& x) {
    auto actor = caf::actor_cast<caf::actor>(x);
    self->monitor(actor);
    self->send_exit(actor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  };
  end(events_);
  end(exporter_);
  end(closer_);
  end(front_end_);
  events_ = nullptr;
  exporter_ = nullptr;
  closer_ = nullptr;
  front_end_ = nullptr;
}

} // namespace musetalk::http
