#include "http/front_end.hpp"

#include "http/answers.hpp"
#include "http/check_store.hpp"
#include "http/examination.hpp"
#include "http/json.hpp"
#include "http/problem.hpp"
#include "pipeline/avatar_tag.hpp"
#include "pipeline/ids.hpp"

#include <utility>

namespace musetalk::http {

namespace {

using namespace std::chrono_literals;
namespace atom = actors::atom;

/// How long a look at the weight files holds.
constexpr auto weights_age = 5s;

void fail(const exchange_ptr& to, const caf::error& x) {
  to->fail(error{actors::code_of(x), actors::detail_of(x)});
}

/// Makes and sends an answer. What throws meanwhile fails this exchange, not the actor.
template <class F>
void reply(const exchange_ptr& to, F&& make) {
  auto answer = actors::guard(std::forward<F>(make));
  if (answer)
    to->respond(std::move(*answer));
  else
    fail(to, answer.error());
}

/// The second handler of every request: answers the exchange with the error.
auto failing(front_end_pointer self, const exchange_ptr& to) {
  return [self, to](const caf::error& x) {
    self->note(x);
    fail(to, x);
  };
}

/// The first handler of requests whose reply is shown as it is.
template <class T>
auto showing(const exchange_ptr& to) {
  return [to](const T& x) {
    reply(to, [&] { return json_response(200, to_json(x)); });
  };
}

/// `failing` for requests that queue a job.
auto failing_to_queue(front_end_pointer self, const exchange_ptr& to) {
  return [self, to](const caf::error& x) {
    self->note(x);
    if (actors::code_of(x) != errc::queue_full) {
      fail(to, x);
      return;
    }
    const auto& config = self->state.config;
    self->request(config.registry, config.timeout, atom::status_v)
        .then(
            [=](const actors::queue_status& queue) {
              reply(to,
                    [&] { return queue_full_response(actors::detail_of(x), queue, to->in().id); });
            },
            [=](const caf::error&) { fail(to, x); });
  };
}

auto showing_versions(const exchange_ptr& to) {
  return [to](const pipeline::avatar& x) {
    reply(to, [&] { return versions_response(x); });
  };
}

void answer_job(const exchange_ptr& to, const pipeline::job_view& x, bool waited) {
  reply(to, [&] { return job_response(x, waited, to->in()); });
}

/// Waits for the job's end as long as the client wishes. Whatever goes wrong meanwhile, the job was
/// accepted, so the answer is where it stands.
void await_job(front_end_pointer self, const exchange_ptr& to, const wish_to_wait& wait,
               const pipeline::job_view& job) {
  auto& state = self->state;
  if (!wait || is_final(job.record.state) || state.stopping) {
    answer_job(to, job, wait.has_value());
    return;
  }
  auto number = state.next_waiter++;
  state.waiters.emplace(number, front_end_state::waiting{to, job});
  auto answer = [=](const pipeline::job_view& x) {
    self->state.waiters.erase(number);
    answer_job(to, x, true);
  };
  auto id = actors::job_id{job.record.job_id};
  self->request(state.config.registry, *wait, atom::await_end_v, id)
      .then(answer, [=](const caf::error&) {
        self->request(self->state.config.registry, self->state.config.timeout, atom::look_v, id)
            .then(answer, [=](const caf::error&) { answer(job); });
      });
}

/// The handlers of a request that makes a job.
auto job_made(front_end_pointer self, const exchange_ptr& to, const wish_to_wait& wait) {
  return [=](const pipeline::job_view& job) {
    await_job(self, to, wait, job);
  };
}

/// What a job of the video would meet is known; when it would end is the REGISTRY's to say.
auto examined(front_end_pointer self, const exchange_ptr& to, pipeline::job_request request) {
  return [=](const pipeline::preflight_report& report) mutable {
    request.video_frames = report.info.predicted_frames;
    request.video_pixels = int64_t{report.info.width} * report.info.height;
    auto answer = [=](const std::optional<pipeline::job_view>& job, errc refusal) {
      reply(to, [&] { return examination_response(report, job, refusal); });
    };
    self->request(self->state.config.registry, self->state.config.timeout, atom::examine_v, request)
        .then([=](const pipeline::job_view& job) { answer(job, {}); },
              [=](const caf::error& x) { answer(std::nullopt, actors::code_of(x)); });
  };
}

void answer_avatar(front_end_pointer self, const exchange_ptr& to, const pipeline::avatar& found) {
  auto answer = [=](const std::optional<pipeline::job_view>& job) {
    reply(to, [&] {
      auto shown = json_response(200, to_json(found, job));
      shown.headers.add("ETag", pipeline::avatar_tag(found));
      return shown;
    });
  };
  if (found.latest_job_id.empty()) {
    answer(std::nullopt);
    return;
  }
  // Old jobs may have been forgotten; the avatar is none the worse for it.
  self->request(self->state.config.registry, self->state.config.timeout, atom::look_v,
                actors::job_id{found.latest_job_id})
      .then([=](const pipeline::job_view& job) { answer(job); },
            [=](const caf::error&) { answer(std::nullopt); });
}

/// The folder of an avatar's current version. Adopted avatars are plain folders.
std::filesystem::path folder_of(const pipeline::store_layout& store, const pipeline::avatar& x) {
  return pipeline::version_number(x.current_version) ? store.version(x.avatar_id, x.current_version)
                                                     : store.link(x.avatar_id);
}

void answer_picture(const exchange_ptr& to, const pipeline::store_layout& store,
                    const pipeline::avatar& x, const std::string& file) {
  auto missing = error{errc::avatar_not_found, "This avatar has no " + file + "."};
  // Ids of the catalog name folders; all the same nothing else may ever become a path.
  if (x.current_version.empty() || !pipeline::is_id(x.avatar_id)) {
    to->fail(missing);
    return;
  }
  auto head = response{};
  head.headers.add("Content-Type", file.ends_with(".mp4") ? "video/mp4" : "image/jpeg");
  head.headers.add("Cache-Control", "no-cache");
  auto sent = actors::guard([&] { to->respond_file(std::move(head), folder_of(store, x) / file); });
  if (!sent)
    to->fail(missing);
}

void answer_video(const exchange_ptr& to, const pipeline::store_layout& store,
                  const pipeline::spoken_video& x) {
  auto head = response{};
  head.headers.add("Content-Type", "video/mp4");
  head.headers.add("Cache-Control", "no-cache");
  head.headers.add("Content-Disposition", "inline; filename=\"" + x.video_id + ".mp4\"");
  auto sent = actors::guard(
      [&] { to->respond_file(std::move(head), store.video(x.avatar_id, x.video_id)); });
  if (!sent)
    to->fail(error{errc::video_not_found, "The file of the video is gone."});
}

const pipeline::weights_status& weights_now(front_end_pointer self) {
  auto& state = self->state;
  auto now = self->clock().now();
  if (state.weights.mode.empty() || now - state.weights_looked_at > weights_age) {
    state.weights = pipeline::look_at_weights(state.config.models_dir, state.config.weights,
                                              state.config.face_backend);
    state.weights_looked_at = now;
  }
  return state.weights;
}

response readiness_response(const pipeline::weights_status& weights,
                            const actors::queue_status& queue, const front_end_config& config,
                            const std::string& request_id) {
  auto computes = config.mode != "mock";
  if (computes && !weights.ready) {
    auto detail = std::string{"Weight files are missing or unusable:"};
    for (const auto& x : weights.problems)
      detail += " " + x + ";";
    detail.back() = '.';
    auto body = problem_json(errc::models_missing, detail, request_id);
    body["ready"] = false;
    body["missing"] = weights.problems;
    return problem_response(errc::models_missing, body);
  }
  if (computes && !queue.device.ready) {
    auto body = problem_json(errc::device_busy,
                             config.weights_were_missing
                                 ? "The weights have come since the start: restart the service."
                                 : "The networks are still being loaded.",
                             request_id);
    body["ready"] = false;
    return problem_response(errc::device_busy, body);
  }
  return json_response(200, {{"ready", true}, {"mode", config.mode}});
}

} // namespace

front_end_actor::behavior_type front_end(front_end_pointer self, const front_end_config& config) {
  self->state.config = config;
  // Everything that is asked goes through here, so nothing is asked without a time-out.
  auto ask = [=](const auto& whom, auto&&... what) {
    return self->request(whom, self->state.config.timeout, std::forward<decltype(what)>(what)...);
  };
  return {
      [=](const list_avatars& x) {
        ask(self->state.config.registry, atom::list_v, x.filter, x.page)
            .then(
                [to = x.to, detail = x.detail](const pipeline::avatar_page& page) {
                  reply(to, [&] { return json_response(200, to_json(page, detail)); });
                },
                failing(self, x.to));
      },
      [=](const show_avatar& x) {
        // Who opens an avatar uses it.
        ask(self->state.config.registry, atom::touch_v, x.id)
            .then([=, to = x.to](const pipeline::avatar& found) { answer_avatar(self, to, found); },
                  failing(self, x.to));
      },
      [=](const show_picture& x) {
        ask(self->state.config.registry, atom::look_v, x.id)
            .then(
                [=, to = x.to, file = x.file](const pipeline::avatar& found) {
                  answer_picture(to, self->state.config.store, found, file);
                },
                failing(self, x.to));
      },
      [=](const remove_avatar& x) {
        ask(self->state.config.registry, atom::remove_v, x.id, x.force, x.if_match)
            .then(
                [to = x.to](const actors::avatar_id& id) {
                  reply(to, [&] { return json_response(200, deleted_json(id.value)); });
                },
                failing(self, x.to));
      },
      [=](const list_versions& x) {
        ask(self->state.config.registry, atom::look_v, x.id)
            .then(showing_versions(x.to), failing(self, x.to));
      },
      [=](const activate_version& x) {
        ask(self->state.config.registry, atom::activate_v, x.change)
            .then(showing_versions(x.to), failing(self, x.to));
      },
      [=](const remove_version& x) {
        ask(self->state.config.registry, atom::remove_v, x.change)
            .then(showing_versions(x.to), failing(self, x.to));
      },
      [=](const list_videos& x) {
        ask(self->state.config.registry, atom::list_v, x.id, x.page)
            .then(showing<pipeline::video_page>(x.to), failing(self, x.to));
      },
      [=](const show_video& x) {
        ask(self->state.config.registry, atom::look_v, x.id)
            .then(
                [=, to = x.to](const pipeline::spoken_video& found) {
                  answer_video(to, self->state.config.store, found);
                },
                failing(self, x.to));
      },
      [=](const remove_video& x) {
        ask(self->state.config.registry, atom::remove_v, x.id)
            .then(
                [to = x.to](const actors::video_id& id) {
                  reply(to, [&] { return json_response(200, deleted_json(id)); });
                },
                failing(self, x.to));
      },
      [=](const touch_avatar& x) {
        ask(self->state.config.registry, atom::touch_v, x.id)
            .then(showing<pipeline::avatar>(x.to), failing(self, x.to));
      },
      [=](const pin_avatar& x) {
        ask(self->state.config.registry, atom::pin_v, x.id, x.pinned)
            .then(showing<pipeline::avatar>(x.to), failing(self, x.to));
      },
      [=](const clean_store& x) {
        ask(self->state.config.registry, atom::clean_v, x.apply)
            .then(showing<pipeline::retention_plan>(x.to), failing(self, x.to));
      },
      [=](const create_avatar& x) {
        ask(self->state.config.uploads(), atom::create_v, x.request)
            .then(job_made(self, x.to, x.wait), failing_to_queue(self, x.to));
      },
      [=](const commit_upload& x) {
        if (x.examine) {
          ask(self->state.config.uploads(), atom::examine_v, x.file)
              .then(examined(self, x.to, x.request), failing(self, x.to));
          return;
        }
        ask(self->state.config.uploads(), atom::commit_v, x.file, x.request)
            .then(job_made(self, x.to, x.wait), failing_to_queue(self, x.to));
      },
      [=](const examine_video& x) {
        ask(self->state.config.uploads(), atom::examine_v, x.request.video_path)
            .then(examined(self, x.to, x.request), failing(self, x.to));
      },
      [=](const list_jobs& x) {
        ask(self->state.config.registry, atom::list_v, x.filter, x.page)
            .then(showing<pipeline::job_page>(x.to), failing(self, x.to));
      },
      [=](const show_job& x) {
        if (x.history)
          ask(self->state.config.registry, atom::history_v, x.id)
              .then(showing<pipeline::job_history>(x.to), failing(self, x.to));
        else
          ask(self->state.config.registry, atom::look_v, x.id)
              .then(showing<pipeline::job_view>(x.to), failing(self, x.to));
      },
      [=](const cancel_job& x) {
        ask(self->state.config.registry, atom::cancel_v, x.id, x.key)
            .then(
                [to = x.to](const pipeline::job_view& job) {
                  reply(to, [&] {
                    auto status = is_final(job.record.state) ? 200 : 202;
                    return marked(json_response(status, to_json(job)), job);
                  });
                },
                failing(self, x.to));
      },
      [=](const retry_job& x) {
        ask(self->state.config.registry, atom::retry_v, x.id, x.key)
            .then(
                [to = x.to](const pipeline::job_view& job) {
                  reply(to, [&] { return marked(json_response(202, to_json(job)), job); });
                },
                failing_to_queue(self, x.to));
      },
      [=](const check_store& x) {
        // Reading everything takes its time; the registry bounds it.
        self->request(self->state.config.registry,
                      x.deep ? std::chrono::seconds{600} : self->state.config.timeout,
                      atom::verify_v, x.deep)
            .then(
                [to = x.to](const pipeline::store_report& report) {
                  reply(to, [&] { return json_response(200, to_json(report)); });
                },
                failing(self, x.to));
      },
      [=](const show_health& x) {
        ask(self->state.config.registry, atom::status_v)
            .then(
                [=, to = x.to](const actors::queue_status& queue) {
                  const auto& known = self->state.config;
                  reply(to, [&] {
                    return json_response(200, health_json(weights_now(self), queue, known.mode,
                                                          known.engine, known.faces));
                  });
                },
                failing(self, x.to));
      },
      [=](const show_readiness& x) {
        ask(self->state.config.registry, atom::status_v)
            .then(
                [=, to = x.to](const actors::queue_status& queue) {
                  reply(to, [&] {
                    return readiness_response(weights_now(self), queue, self->state.config,
                                              to->in().id);
                  });
                },
                failing(self, x.to));
      },
      [=](const show_metrics& x) {
        // A collector gives up after some seconds, and a stuck service is what it is there for.
        auto patience = std::min<std::chrono::seconds>(self->state.config.timeout, 3s);
        self->request(self->state.config.registry, patience, atom::status_v)
            .then(
                [to = x.to, answer = x.answer](const actors::queue_status& queue) {
                  reply(to, [&] { return answer(queue); });
                },
                [to = x.to, answer = x.answer](const caf::error&) {
                  reply(to, [&] { return answer(std::nullopt); });
                });
      },
      [=](atom::stop) {
        self->state.stopping = true;
        for (const auto& [number, x] : std::exchange(self->state.waiters, {}))
          answer_job(x.to, x.job, true);
      },
  };
}

} // namespace musetalk::http
