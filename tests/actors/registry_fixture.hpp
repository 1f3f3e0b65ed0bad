#pragma once

#include "actors/registry.hpp"
#include "actors/storage_writer.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_catalog.hpp"
#include "tests/actors/fake_pipeline.hpp"

#include <memory>
#include <string>
#include <vector>

namespace musetalk::tests {

using namespace actors;
using pipeline::avatar_version;
using pipeline::job;
using pipeline::job_state;
using pipeline::job_view;

/// What the fake runners and the fake UPLOAD RECEIVER were told.
struct runner_notes {
  struct run {
    std::string job_id;
    size_t place;
    musetalk_runner_actor runner;
    job_state stored; ///< State in the catalog when the runner was made.
  };

  std::vector<run> runs;
  std::vector<std::string> cancelled;
  std::vector<std::string> released;
};

inline musetalk_runner_actor::behavior_type
fake_runner(musetalk_runner_actor::pointer, runner_notes* notes, const std::string& job_id) {
  return {
      [](atom::start) {},
      [=](atom::cancel) { notes->cancelled.push_back(job_id); },
      [](atom::next) {},
  };
}

inline upload_receiver_actor::behavior_type fake_uploads(upload_receiver_actor::pointer,
                                                         runner_notes* notes) {
  auto nothing = [] {
    return make_error(errc::internal, "Not for this test.");
  };
  return {
      [](atom::began, const upload_id&) {},
      [](atom::gone, const upload_id&) {},
      [=](atom::commit, const pipeline::spooled_file&,
          const pipeline::job_request&) -> caf::result<job_view> { return nothing(); },
      [=](atom::create, const pipeline::job_request&) -> caf::result<job_view> {
        return nothing();
      },
      [=](atom::examine, const pipeline::spooled_file&) -> caf::result<pipeline::preflight_report> {
        return nothing();
      },
      [=](atom::examine, const std::string&) -> caf::result<pipeline::preflight_report> {
        return nothing();
      },
      [=](atom::release, const upload_id& x) { notes->released.push_back(x.value); },
      [](atom::tick) {},
  };
}

/// A REGISTRY with fake runners and a real STORAGE WRITER over a fake store.
struct Registry : tests::DeterministicSystem {
  std::shared_ptr<tests::fake_catalog> catalog = std::make_shared<tests::fake_catalog>();
  std::shared_ptr<worker_directory> workers = std::make_shared<worker_directory>();
  tests::fake_world world;
  runner_notes notes;
  std::vector<std::string> fatals;
  registry_config limits;
  registry_actor aut;
  int made = 0;
  int64_t now_us = 1'000;
  bool source_there = true;

  ~Registry() override { end_all(); }

  void spawn() {
    workers->change([&](worker_set& x) {
      x.storage = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                    std::make_shared<tests::fake_store>(world)}));
      x.uploads = own(sys.spawn(fake_uploads, &notes));
    });
    auto parts = registry_parts{};
    parts.catalog = catalog;
    parts.workers = workers;
    parts.start_runner = [this](const registry_actor&, const job& x, size_t place) {
      auto runner = own(sys.spawn(fake_runner, &notes, x.job_id));
      notes.runs.push_back({x.job_id, place, runner, catalog->jobs.at(x.job_id).state});
      return runner;
    };
    parts.now_us = [this] {
      return now_us;
    };
    parts.new_job_id = [this] {
      return "j" + std::to_string(++made);
    };
    parts.source_there = [this](const pipeline::job_request&) {
      return source_there;
    };
    parts.fatal = [this](const std::string& x) {
      fatals.push_back(x);
    };
    aut = own(sys.spawn(registry, limits, parts));
    self->send(aut, atom::next_v);
    sched.run();
  }

  pipeline::job_request request(const std::string& avatar, const std::string& sha256 = "") {
    auto result = pipeline::job_request{};
    result.avatar_id = avatar;
    result.upload_id = "u-" + avatar + sha256;
    result.video_sha256 = sha256;
    return result;
  }

  tests::answer<job_view> submit(const std::string& avatar, const std::string& sha256 = "") {
    return ask<job_view>(aut, atom::submit_v, request(avatar, sha256));
  }

  tests::answer<job_view> look(const std::string& id) {
    return ask<job_view>(aut, atom::look_v, job_id{id});
  }

  tests::answer<job_view> cancel(const std::string& id) {
    return ask<job_view>(aut, atom::cancel_v, job_id{id}, pipeline::request_key{});
  }

  tests::answer<avatar_id> remove(const std::string& id, bool force) {
    return ask<avatar_id>(aut, atom::remove_v, avatar_id{id}, force, std::string{});
  }

  std::shared_ptr<tests::answer<job_view>> await_end(const std::string& id) {
    return ask_later<job_view>(aut, atom::await_end_v, job_id{id});
  }

  /// Lets the runner of a job tell its outcome.
  void end_job(const std::string& id, job_state state, job_outcome outcome = {}) {
    outcome.job_id = id;
    outcome.state = state;
    if (state == job_state::completed) {
      outcome.version.version = "v000001";
      outcome.version.job_id = id;
      outcome.version.engine = limits.engine;
      outcome.version.weights = limits.weights;
      outcome.version.video_sha256 = catalog->jobs[id].request.video_sha256;
      outcome.version.options_key = catalog->jobs[id].options_key;
    }
    self->send(aut, atom::outcome_v, outcome);
    sched.run();
  }

  std::vector<std::string> started() const {
    auto result = std::vector<std::string>{};
    for (const auto& x : notes.runs)
      result.push_back(x.job_id);
    return result;
  }

  /// A job as an earlier process left it.
  void left_behind(const std::string& id, job_state state, uint32_t attempt, int64_t created_us) {
    auto x = job{};
    x.job_id = id;
    x.request = request("avatar-" + id);
    x.state = state;
    x.attempt = attempt;
    x.interruptions = attempt - 1;
    x.created_us = created_us;
    catalog->jobs[id] = x;
    catalog->avatars[x.request.avatar_id].avatar_id = x.request.avatar_id;
  }
};

} // namespace musetalk::tests
