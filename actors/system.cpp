#include "actors/system.hpp"

#include "actors/device_client.hpp"
#include "actors/import_runner.hpp"
#include "actors/janitor.hpp"
#include "actors/musetalk_runner.hpp"
#include "actors/registry.hpp"
#include "actors/speech_runner.hpp"
#include "actors/speech_workers.hpp"
#include "actors/storage_writer.hpp"
#include "actors/supervisor.hpp"
#include "actors/system_settings.hpp"
#include "actors/upload_receiver.hpp"
#include "actors/worker_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/spawn_options.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

namespace musetalk::actors {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

template <class Handle>
caf::strong_actor_ptr pointer(const Handle& x) {
  return caf::actor_cast<caf::strong_actor_ptr>(x);
}

// What waits, was interrupted or may be retried still needs its upload.
std::vector<std::string> needed_uploads(pipeline::catalog& catalog,
                                        pipeline::timestamp_us failed_since) {
  auto result = std::vector<std::string>{};
  for (const auto& jobs :
       {catalog.queued_jobs(), catalog.active_jobs(), catalog.failed_uploads(failed_since)})
    for (const auto& x : jobs)
      if (!x.request.upload_id.empty())
        result.push_back(x.request.upload_id);
  return result;
}

// What is half and needed by nobody is removed.
void recover_store(pipeline::avatar_store& store, pipeline::catalog& catalog,
                   pipeline::timestamp_us failed_since) {
  auto kept = needed_uploads(catalog, failed_since);
  auto running = std::vector<std::string>{};
  for (const auto& x : catalog.active_jobs())
    if (x.state == pipeline::job_state::running)
      running.push_back(x.job_id);
  auto scan = store.recover(kept, running);
  for (const auto& x : scan.published)
    spdlog::info("start-up published {}, which was written before the service ended", x);
  for (const auto& x : scan.removed)
    spdlog::info("start-up removed {}", x);
  for (const auto& x : scan.ignored)
    spdlog::warn("start-up left alone {}", x);
  catalog.reconcile(scan.avatars);
  // Jobs whose version was found have ended with that.
  auto needed = needed_uploads(catalog, failed_since);
  for (const auto& x : kept)
    if (std::find(needed.begin(), needed.end(), x) == needed.end())
      store.discard_upload(x);
  // Moved into place, but not yet told of: its job is done again.
  for (const auto& x : catalog.reconcile_videos(scan.videos)) {
    store.remove_video(x.avatar_id, x.video_id);
    spdlog::info("start-up removed video {} of avatar {}: its job had not ended", x.video_id,
                 x.avatar_id);
  }
  spdlog::info("the store holds {} avatars", scan.avatars.size());
}

} // namespace

struct service_system::impl {
  impl(const system_config& x, system_parts y)
      : config(x), parts(std::move(y)), store(parts.open_store()), catalog(parts.open_catalog()),
        actor_settings(x.pool_threads), system(actor_settings) {
    // nop
  }

  // -- start ----------------------------------------------------------------------
  storage_writer_actor spawn_storage() {
    return system.spawn<caf::detached>(storage_writer, store);
  }

  preprocessor_actor spawn_preprocessor() {
    auto with_device = parts.preprocessor;
    with_device.analysis = [this](const job_id& job,
                                  const std::stop_token& stop) -> pipeline::face_analysis_ptr {
      auto gpu = workers->get().gpu;
      return gpu ? make_device_client(system, gpu, job, client_settings(config), stop) : nullptr;
    };
    return system.spawn<caf::detached>(preprocessor, with_device);
  }

  upload_receiver_actor spawn_uploads() {
    return system.spawn(upload_receiver, upload_settings(config),
                        upload_receiver_parts{registry, workers, parts.require_room});
  }

  gpu_scheduler_actor spawn_gpu() {
    auto report = [registry = registry](const device_status& x) {
      caf::anon_send(registry, atom::status_v, x);
    };
    return system.spawn<caf::detached>(
        gpu_scheduler, gpu_settings(config),
        gpu_scheduler_parts{parts.make_networks, report, tell_fatal()});
  }

  musetalk_runner_actor spawn_speech_runner(const registry_actor& to, const pipeline::job& job,
                                            size_t place) {
    auto now = workers->get();
    auto analysis = [this](const job_id& x) {
      auto gpu = workers->get().gpu;
      if (!gpu)
        throw error(errc::stopping, "The service is stopping.");
      return make_device_listener(system, gpu, x, client_settings(config));
    };
    auto reader = system.spawn<caf::detached>(speech_reader, parts.speech.open_speech, analysis);
    auto maker = system.spawn<caf::detached>(film_maker, parts.speech.open_film);
    auto with = speech_runner_parts{
        to, now.preprocessors.at(place), reader, maker, now.gpu, now.storage, parts.now_us};
    return system.spawn(speech_runner, speech_settings(config, store->layout()), with, job);
  }

  runner_factory start_runner() {
    return [this, settings = runner_settings(config, store->layout())](
               const registry_actor& to, const pipeline::job& job, size_t place) {
      if (job.request.kind == pipeline::job_kind::speak) {
        auto speaker = spawn_speech_runner(to, job, place);
        caf::anon_send(speaker, atom::start_v);
        return speaker;
      }
      if (job.request.kind == pipeline::job_kind::import_archive) {
        auto importer =
            system.spawn<caf::detached>(import_runner, import_settings(config, store->layout()),
                                        import_runner_parts{to, workers->get().storage}, job);
        caf::anon_send(importer, atom::start_v);
        return importer;
      }
      auto now = workers->get();
      auto runner_parts =
          musetalk_runner_parts{to, now.preprocessors.at(place), now.gpu, now.storage};
      auto runner = system.spawn(musetalk_runner, settings, runner_parts, job);
      caf::anon_send(runner, atom::start_v);
      return runner;
    };
  }

  std::function<bool(const pipeline::job_request&)> source_there() {
    return [layout = store->layout()](const pipeline::job_request& x) {
      auto reason = std::error_code{};
      auto video = x.upload_id.empty() ? std::filesystem::path{x.video_path}
                                       : layout.upload(x.upload_id) / "source";
      return std::filesystem::is_regular_file(video, reason);
    };
  }

  registry_actor spawn_registry() {
    auto registry_with =
        registry_parts{catalog,          workers,        start_runner(), parts.now_us,
                       parts.new_job_id, source_there(), tell_fatal()};
    return system.spawn<caf::detached>(actors::registry, registry_settings(config), registry_with);
  }

  janitor_actor spawn_janitor() {
    return system.spawn<caf::detached>(
        janitor, janitor_settings(config),
        janitor_parts{registry, workers, store->layout(), parts.now_us});
  }

  // Workers first, then those who ask them; nothing runs before the registry's first `next`.
  void start() {
    auto keep = std::chrono::microseconds{config.keep_failed}.count();
    recover_store(*store, *catalog, parts.now_us() - keep);
    auto places = std::max<size_t>(config.running_jobs, 1);
    workers->change([&](worker_set& x) {
      x.storage = spawn_storage();
      x.prober = spawn_preprocessor();
      for (size_t i = 0; i < places; ++i)
        x.preprocessors.push_back(spawn_preprocessor());
    });
    registry = spawn_registry();
    auto has_device = !config.mock && config.missing_models.empty();
    workers->change([&](worker_set& x) {
      if (has_device)
        x.gpu = spawn_gpu();
      x.uploads = spawn_uploads();
      x.janitor = spawn_janitor();
    });
    supervise(places);
    caf::anon_send(registry, atom::next_v);
  }

  void supervise(size_t places) {
    auto now = workers->get();
    auto children =
        std::vector<supervised>{{"registry", pointer(registry), nullptr},
                                {"storage writer", pointer(now.storage),
                                 [this] {
                                   return replace(&worker_set::storage, spawn_storage());
                                 }},
                                {"upload receiver", pointer(now.uploads),
                                 [this] {
                                   return replace(&worker_set::uploads, spawn_uploads());
                                 }},
                                {"janitor", pointer(now.janitor),
                                 [this] {
                                   return replace(&worker_set::janitor, spawn_janitor());
                                 }},
                                {"prober", pointer(now.prober), [this] {
                                   return replace(&worker_set::prober, spawn_preprocessor());
                                 }}};
    for (size_t i = 0; i < places; ++i)
      children.push_back(
          {"preprocessor " + std::to_string(i + 1), pointer(now.preprocessors[i]), [this, i] {
             auto successor = spawn_preprocessor();
             workers->change([&](auto& x) { x.preprocessors[i] = successor; });
             return pointer(successor);
           }});
    if (now.gpu)
      children.push_back({"gpu scheduler", pointer(now.gpu), nullptr});
    overseer = system.spawn(supervisor, children, tell_fatal());
  }

  template <class Handle>
  caf::strong_actor_ptr replace(Handle worker_set::*place, const Handle& successor) {
    workers->change([&](worker_set& x) { x.*place = successor; });
    return pointer(successor);
  }

  // Whatever goes wrong next is a consequence of the first.
  fatal_callback tell_fatal() {
    return [this](const std::string& reason) {
      if (fatal_told.exchange(true))
        return;
      spdlog::critical("the service cannot go on: {}", reason);
      if (parts.fatal)
        parts.fatal(reason);
    };
  }

  // -- end --------------------------------------------------------------------------
  // Ends one actor and waits for its end. With high priority what lies in its mailbox is not worked
  // off any more.
  template <caf::message_priority Priority = caf::message_priority::high>
  void end(caf::scoped_actor& self, const caf::strong_actor_ptr& x) {
    if (!x)
      return;
    auto actor = caf::actor_cast<caf::actor>(x);
    self->monitor(actor);
    self->send<Priority>(actor, caf::exit_msg{self->address(), caf::exit_reason::user_shutdown});
    auto ended = false;
    while (!ended) {
      auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      auto wait = in_time ? std::max(left, milliseconds{1}) : milliseconds{60'000};
      self->receive([&](const caf::down_msg& down) { ended = down.source == actor.address(); },
                    caf::after(wait) >>
                        [&] {
                          in_time = false;
                          log_busy();
                        });
    }
  }

  void log_busy() const {
    for (const auto& x : read_meters())
      if (x.current_us >= 0)
        spdlog::error("the end waits for the {}: at work for {} ms, {} messages left", x.name,
                      x.current_us / 1000, x.depth);
  }

  bool stop(milliseconds timeout) {
    auto lock = std::lock_guard{stop_mutex};
    if (std::exchange(stopped, true))
      return in_time;
    deadline = steady_clock::now() + timeout;
    auto self = caf::scoped_actor{system};
    self->request(overseer, caf::infinite, atom::stop_v).receive([] {}, [](caf::error&) {});
    self->send(registry, atom::stop_v);
    auto now = workers->get();
    end(self, pointer(now.janitor));
    end(self, pointer(now.uploads));
    // Takes the runners with it.
    end(self, pointer(registry));
    end(self, pointer(now.gpu));
    end(self, pointer(now.prober));
    for (const auto& x : now.preprocessors)
      end(self, pointer(x));
    // Last, and after all that it was told: it removes what the others left in staging.
    end<caf::message_priority::normal>(self, pointer(now.storage));
    end(self, pointer(overseer));
    workers->change([](worker_set& x) { x = {}; });
    {
      auto handles = std::lock_guard{handle_mutex};
      registry = nullptr;
    }
    overseer = nullptr;
    spdlog::info("all actors have ended");
    return in_time;
  }

  system_config config;
  system_parts parts;
  std::shared_ptr<pipeline::avatar_store> store;
  std::shared_ptr<pipeline::catalog> catalog;
  std::shared_ptr<worker_directory> workers = std::make_shared<worker_directory>();
  std::atomic<bool> fatal_told = false;
  actor_config actor_settings;
  caf::actor_system system;
  mutable std::mutex handle_mutex; ///< Guards `registry`.
  registry_actor registry;
  caf::actor overseer;
  std::mutex stop_mutex;
  bool stopped = false;
  bool in_time = true;
  steady_clock::time_point deadline;
};

service_system::service_system(const system_config& config, system_parts parts)
    : impl_(std::make_unique<impl>(config, std::move(parts))) {
  impl_->start();
}

service_system::~service_system() {
  stop(std::chrono::seconds{10});
}

registry_actor service_system::registry() const {
  auto lock = std::lock_guard{impl_->handle_mutex};
  return impl_->registry;
}

upload_receiver_actor service_system::uploads() const {
  return impl_->workers->get().uploads;
}

caf::actor_system& service_system::actors() {
  return impl_->system;
}

bool service_system::stop(std::chrono::milliseconds timeout) {
  return impl_->stop(timeout);
}

} // namespace musetalk::actors
