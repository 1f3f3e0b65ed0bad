#include "http/front_end.hpp"

#include "pipeline/avatar_tag.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/http/fake_exchange.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace musetalk::http {

namespace {

using namespace std::chrono_literals;
namespace atom = actors::atom;
using pipeline::job_state;
using pipeline::job_view;
using tests::fake_exchange;
using tests::make_exchange;

/// What the stand-ins answer, and what they were asked. Set before asking; read after.
struct world {
  std::optional<errc> refuse; ///< Every request is refused with it.
  bool silent = false;        ///< Nobody answers.
  job_view submitted;
  std::vector<pipeline::job_event> events; ///< Of its history.
  job_view ended;                          ///< Of `awaitend`; not answered while it is not final.
  pipeline::avatar avatar;
  pipeline::spoken_video video;
  actors::queue_status queue;
  std::vector<std::string> asked;
};

job_view job_in(job_state state) {
  auto x = job_view{};
  x.record.job_id = "j1";
  x.record.request.avatar_id = "anna";
  x.record.state = state;
  return x;
}

caf::error refusal(const world& x) {
  return actors::make_error(*x.refuse, "as told");
}

/// A stand-in for the REGISTRY: one line per handler.
actors::registry_actor::behavior_type registry_stub(actors::registry_actor::pointer self,
                                                    std::shared_ptr<world> w) {
  // Answers, refuses, or lets the asker wait for ever.
  auto say = [=](const std::string& what, const auto& x) -> caf::result<std::decay_t<decltype(x)>> {
    w->asked.push_back(what);
    if (w->silent)
      return self->make_response_promise<std::decay_t<decltype(x)>>();
    if (w->refuse)
      return refusal(*w);
    return x;
  };
  return {
      [=](atom::submit, const pipeline::job_request&) { return say("submit", w->submitted); },
      [=](atom::examine, const pipeline::job_request&) { return say("examine", w->submitted); },
      [=](atom::look, const actors::job_id&) { return say("look job", w->submitted); },
      [=](atom::look, const actors::avatar_id&) { return say("look avatar", w->avatar); },
      [=](atom::list, const pipeline::avatar_filter&, const pipeline::page_request&) {
        return say("list avatars", pipeline::avatar_page{1, {w->avatar}, ""});
      },
      [=](atom::list, const pipeline::job_filter&, const pipeline::page_request&) {
        return say("list jobs", pipeline::job_page{1, {w->submitted}, ""});
      },
      [=](atom::await_end, const actors::job_id&) -> caf::result<job_view> {
        if (!is_final(w->ended.record.state))
          return self->make_response_promise<job_view>();
        return say("await", w->ended);
      },
      [=](atom::cancel, const actors::job_id&, const pipeline::request_key& key) {
        return say("cancel" + key.key, w->submitted);
      },
      [=](atom::retry, const actors::job_id&, const pipeline::request_key& key) {
        return say("retry" + key.key, w->submitted);
      },
      [=](atom::history, const actors::job_id&) {
        return say("history", pipeline::job_history{w->submitted, w->events});
      },
      [=](atom::event, const pipeline::event_query&) {
        return say("events", pipeline::event_page{});
      },
      [](atom::follow, const caf::strong_actor_ptr&) {},
      [=](atom::remove, const actors::avatar_id& id, bool force, const std::string& if_match) {
        return say((force ? "remove by force" : "remove") + if_match, id);
      },
      [=](atom::activate, const actors::version_change& x) {
        return say("activate " + x.version + x.if_match + x.key.key, w->avatar);
      },
      [=](atom::remove, const actors::version_change& x) {
        return say("remove " + x.version + x.if_match, w->avatar);
      },
      [=](atom::list, const actors::avatar_id& id, const pipeline::page_request&) {
        return say("list videos of " + id.value, pipeline::video_page{1, {w->video}, ""});
      },
      [=](atom::look, const actors::video_id& id) {
        return say("look video " + id.value, w->video);
      },
      [=](atom::remove, const actors::video_id& id) { return say("remove video " + id.value, id); },
      [=](atom::verify, bool deep) {
        auto report = pipeline::store_report{};
        report.deep = deep;
        report.findings.push_back({"link.missing", "anna", "Gone.", "Restart.", true});
        return say(deep ? "verify deep" : "verify", report);
      },
      [=](atom::touch, const actors::avatar_id&) { return say("touch", w->avatar); },
      [=](atom::pin, const actors::avatar_id&, bool pinned) {
        return say(pinned ? "pin" : "unpin", w->avatar);
      },
      [=](atom::clean, bool apply) {
        return say(apply ? "clean" : "plan", pipeline::retention_plan{});
      },
      [](atom::scrub, int64_t) { return pipeline::version_ref{}; },
      [](atom::scrub, const pipeline::version_ref&, const std::string&) {},
      [](atom::tick) {},
      [=](atom::status) -> caf::result<actors::queue_status> {
        // A full queue can still be looked at.
        if (w->refuse == errc::queue_full)
          return w->queue;
        return say("status", w->queue);
      },
      [](atom::status, const actors::device_status&) {},
      [](atom::progress, const pipeline::job_progress&) {},
      [](atom::outcome, const actors::job_outcome&) {},
      [](atom::next) {},
      [](atom::stop) {},
  };
}

actors::upload_receiver_actor::behavior_type
upload_receiver_stub(actors::upload_receiver_actor::pointer self, std::shared_ptr<world> w) {
  auto say = [=](const std::string& what) -> caf::result<job_view> {
    w->asked.push_back(what);
    if (w->silent)
      return self->make_response_promise<job_view>();
    if (w->refuse)
      return refusal(*w);
    return w->submitted;
  };
  return {
      [=](atom::began, const actors::upload_id&) { w->asked.push_back("began"); },
      [=](atom::gone, const actors::upload_id&) { w->asked.push_back("gone"); },
      [=](atom::commit, const pipeline::spooled_file& file, const pipeline::job_request&) {
        return say("commit " + std::to_string(file.bytes));
      },
      [=](atom::create, const pipeline::job_request&) { return say("create"); },
      [](atom::examine, const pipeline::spooled_file&) { return pipeline::preflight_report{}; },
      [](atom::examine, const std::string&) { return pipeline::preflight_report{}; },
      [](atom::release, const actors::upload_id&) {},
      [](atom::tick) {},
  };
}

} // namespace

class FrontEnd : public tests::DeterministicSystem {
protected:
  FrontEnd() {
    settings.registry = own(sys.spawn(registry_stub, w));
    uploads = own(sys.spawn(upload_receiver_stub, w));
    settings.uploads = [this] {
      return uploads;
    };
    settings.store = {folder};
    settings.weights = "none";
    settings.mode = "mock";
    settings.engine = "native";
    w->avatar.avatar_id = "anna";
    w->avatar.current_version = "v000001";
  }

  ~FrontEnd() override { std::filesystem::remove_all(folder); }

  static std::filesystem::path make_folder() {
    auto name = std::string{"/tmp/front_end_test.XXXXXX"};
    return ::mkdtemp(name.data());
  }

  /// Asks the front end, and lets everything happen that needs no time.
  template <class Question>
  std::shared_ptr<fake_exchange> asked(Question question, request in = {}) {
    auto to = make_exchange(std::move(in));
    question.to = to;
    if (!subject)
      subject = own(sys.spawn(front_end, settings));
    caf::anon_send(subject, std::move(question));
    sched.run();
    return to;
  }

  std::shared_ptr<fake_exchange> create(wish_to_wait wait) {
    return asked(create_avatar{nullptr, {}, wait});
  }

  std::filesystem::path folder = make_folder();
  std::shared_ptr<world> w = std::make_shared<world>();
  front_end_config settings;
  actors::upload_receiver_actor uploads;
  front_end_actor subject;
};

TEST_F(FrontEnd, AnswersAListOfAvatars) {
  auto x = asked(list_avatars{});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body(), (nlohmann::json{{"total", 1}, {"avatars", {"anna"}}}));
}

TEST_F(FrontEnd, AnswersAnAvatarWithItsLatestJob) {
  w->avatar.latest_job_id = "j1";
  w->submitted = job_in(job_state::completed);
  auto x = asked(show_avatar{nullptr, {"anna"}});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["job"]["job_id"], "j1");
  EXPECT_EQ(w->asked, (std::vector<std::string>{"touch", "look job"}));
}

TEST_F(FrontEnd, AnswersAJobWithItsHistoryWhereThatIsWanted) {
  w->submitted = job_in(job_state::running);
  w->events = {{1, "j1", 1'000'000, job_state::queued, "client", "", "anna", 1},
               {4, "j1", 2'000'000, job_state::running, "registry", "attempt 1", "anna", 1}};
  EXPECT_FALSE(asked(show_job{nullptr, {"j1"}, false})->body().contains("events"));
  auto x = asked(show_job{nullptr, {"j1"}, true});
  EXPECT_EQ(x->body()["job_id"], "j1");
  ASSERT_EQ(x->body()["events"].size(), 2u);
  EXPECT_EQ(x->body()["events"][0]["reason"], nullptr);
  EXPECT_EQ(x->body()["events"][1], (nlohmann::json{{"sequence", 4},
                                                    {"job_id", "j1"},
                                                    {"avatar_id", "anna"},
                                                    {"status", "running"},
                                                    {"attempt", 1},
                                                    {"at", "1970-01-01T00:00:02.000Z"},
                                                    {"actor", "registry"},
                                                    {"reason", "attempt 1"}}));
}

TEST_F(FrontEnd, AnswersVideosThatAnAvatarMade) {
  w->video.video_id = "j7";
  w->video.avatar_id = "anna";
  w->video.frames = 75;
  auto list = asked(list_videos{nullptr, {"anna"}, {}});
  EXPECT_EQ(list->body()["total"], 1);
  EXPECT_EQ(list->body()["videos"][0]["frames"], 75);
  EXPECT_EQ(list->body()["videos"][0]["links"]["self"], "/mgmt/v1/avatars/anna/videos/j7");
  auto removed = asked(remove_video{nullptr, {"anna", "j7"}});
  EXPECT_EQ(removed->body(),
            (nlohmann::json{{"avatar_id", "anna"}, {"video_id", "j7"}, {"deleted", true}}));
}

TEST_F(FrontEnd, LeadsToTheVideoOfAJobThatSpoke) {
  w->submitted = job_in(job_state::completed);
  w->submitted.record.request.kind = pipeline::job_kind::speak;
  w->submitted.record.version = "v000003";
  w->submitted.record.request.speech.crf = 21;
  auto x = asked(create_avatar{nullptr, {}, std::chrono::seconds{9}});
  EXPECT_EQ(x->status(), 201);
  EXPECT_EQ(x->body()["links"]["video"], "/mgmt/v1/avatars/anna/videos/j1");
  auto job = asked(show_job{nullptr, {"j1"}, false})->body();
  EXPECT_EQ(job["kind"], "speak");
  EXPECT_EQ(job["speech"]["video"], "/mgmt/v1/avatars/anna/videos/j1");
  EXPECT_EQ(job["speech"]["version"], "v000003");
  EXPECT_EQ(job["speech"]["crf"], 21);
}

TEST_F(FrontEnd, TurnsRefusalsIntoProblems) {
  w->refuse = errc::avatar_not_found;
  auto x = asked(show_avatar{nullptr, {"anna"}});
  EXPECT_EQ(x->status(), 404);
  EXPECT_EQ(x->code(), "avatar.not_found");
  EXPECT_EQ(x->body()["detail"], "as told");
}

TEST_F(FrontEnd, ShowsMetricsAlsoWithoutTheRegistry) {
  auto question = show_metrics{};
  question.answer = [](const std::optional<actors::queue_status>& queue) {
    return response{200, {}, queue ? R"({"registry": true})" : R"({"registry": false})"};
  };
  EXPECT_EQ(asked(question)->body()["registry"], true);
  w->silent = true;
  auto x = asked(question);
  EXPECT_FALSE(x->answered());
  sched.trigger_timeouts();
  sched.run();
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["registry"], false);
}

TEST_F(FrontEnd, AnswersEveryQuestionThatNobodyAnswers) {
  w->silent = true;
  auto all = std::vector<std::shared_ptr<fake_exchange>>{
      asked(list_avatars{}),   asked(show_avatar{}),   asked(show_picture{}),
      asked(remove_avatar{}),  asked(create_avatar{}), asked(commit_upload{}),
      asked(list_jobs{}),      asked(show_job{}),      asked(cancel_job{}),
      asked(retry_job{}),      asked(list_versions{}), asked(activate_version{}),
      asked(remove_version{}), asked(list_videos{}),   asked(show_video{}),
      asked(remove_video{}),   asked(show_health{}),   asked(show_readiness{})};
  for (const auto& x : all)
    EXPECT_FALSE(x->answered());
  sched.trigger_timeouts();
  sched.run();
  for (const auto& x : all) {
    EXPECT_EQ(x->status(), 504);
    EXPECT_EQ(x->code(), "service.timeout");
  }
}

TEST_F(FrontEnd, AcceptsAJobAtOnceWhenNobodyWaits) {
  w->submitted = job_in(job_state::queued);
  auto x = create(std::nullopt);
  EXPECT_EQ(x->status(), 202);
  EXPECT_EQ(x->body()["status"], "queued");
  EXPECT_EQ(x->header("Location"), "/mgmt/v1/jobs/j1");
}

TEST_F(FrontEnd, AnswersCreatedWhenTheJobEndsInTime) {
  w->submitted = job_in(job_state::queued);
  w->ended = job_in(job_state::completed);
  auto x = create(5s);
  EXPECT_EQ(x->status(), 201);
  EXPECT_EQ(x->body()["status"], "completed");
  EXPECT_EQ(x->header("Location"), "/mgmt/v1/avatars/anna");
}

TEST_F(FrontEnd, AnswersAcceptedWhenTheWaitIsOver) {
  w->submitted = job_in(job_state::running);
  auto x = create(5s);
  EXPECT_FALSE(x->answered());
  sched.trigger_timeouts();
  sched.run();
  EXPECT_EQ(x->status(), 202);
  EXPECT_EQ(x->body()["status"], "running");
}

TEST_F(FrontEnd, SaysWhyAJobFailedToAClientThatWaited) {
  w->submitted = job_in(job_state::queued);
  w->ended = job_in(job_state::failed);
  w->ended.record.failure = {errc::face_none, "No face in 7 samples."};
  auto x = create(5s);
  EXPECT_EQ(x->status(), 422);
  EXPECT_EQ(x->code(), "face.none");
  EXPECT_EQ(x->body()["detail"], "No face in 7 samples.");
  EXPECT_EQ(x->body()["job_id"], "j1");
}

TEST_F(FrontEnd, AnswersConflictWhenTheAwaitedJobWasCancelled) {
  w->submitted = job_in(job_state::queued);
  w->ended = job_in(job_state::cancelled);
  auto x = create(5s);
  EXPECT_EQ(x->status(), 409);
  EXPECT_EQ(x->code(), "job.cancelled");
}

TEST_F(FrontEnd, KeepsNobodyWaitingWhenItStops) {
  w->submitted = job_in(job_state::running);
  auto x = create(500s);
  EXPECT_FALSE(x->answered());
  caf::anon_send(subject, atom::stop_v);
  sched.run();
  EXPECT_EQ(x->status(), 202);
  auto later = create(500s);
  EXPECT_EQ(later->status(), 202);
}

TEST_F(FrontEnd, PassesForceOn) {
  asked(remove_avatar{nullptr, {"anna"}, false, ""});
  auto x = asked(remove_avatar{nullptr, {"anna"}, true, ""});
  EXPECT_EQ(x->body(), (nlohmann::json{{"avatar_id", "anna"}, {"deleted", true}}));
  EXPECT_EQ(w->asked, (std::vector<std::string>{"remove", "remove by force"}));
}

TEST_F(FrontEnd, AnswersAcceptedWhileACancelledJobLetsGo) {
  w->submitted = job_in(job_state::cancelling);
  EXPECT_EQ(asked(cancel_job{})->status(), 202);
  w->submitted = job_in(job_state::cancelled);
  EXPECT_EQ(asked(cancel_job{})->status(), 200);
}

TEST_F(FrontEnd, QueuesAJobOnceMore) {
  w->submitted = job_in(job_state::queued);
  w->submitted.record.attempt = 2;
  auto x = asked(retry_job{nullptr, {"j1"}, {" k1", "print", "", 0}});
  EXPECT_EQ(x->status(), 202);
  EXPECT_EQ(x->body()["attempt"], 2);
  EXPECT_EQ(w->asked, (std::vector<std::string>{"retry k1"}));
  w->refuse = errc::job_source_gone;
  EXPECT_EQ(asked(retry_job{})->status(), 410);
}

TEST_F(FrontEnd, MarksTheAnswerToARequestThatCameBefore) {
  w->submitted = job_in(job_state::running);
  EXPECT_EQ(create(std::nullopt)->header("Idempotency-Replayed"), "");
  w->submitted.replayed = true;
  EXPECT_EQ(create(std::nullopt)->header("Idempotency-Replayed"), "true");
  EXPECT_EQ(asked(cancel_job{})->header("Idempotency-Replayed"), "true");
  EXPECT_EQ(asked(retry_job{})->header("Idempotency-Replayed"), "true");
}

TEST_F(FrontEnd, SaysHowLongAFullQueueIsAndWhenToComeBack) {
  w->refuse = errc::queue_full;
  w->queue.queued = 16;
  w->queue.running = 1;
  w->queue.limit = 16;
  w->queue.free_s = 41.2;
  for (const auto& x : {create(std::nullopt), asked(commit_upload{}), asked(retry_job{})}) {
    EXPECT_EQ(x->status(), 429);
    EXPECT_EQ(x->header("Retry-After"), "42");
    EXPECT_EQ(x->body()["detail"], "as told");
    EXPECT_EQ(x->body()["queue"], (nlohmann::json{{"queued", 16}, {"running", 1}, {"limit", 16}}));
  }
  w->queue.free_s = -1.;
  EXPECT_EQ(create(std::nullopt)->header("Retry-After"), "30") << "nothing is known yet";
  w->queue.free_s = 1e9;
  EXPECT_EQ(create(std::nullopt)->header("Retry-After"), "3600");
}

TEST_F(FrontEnd, AnswersVersionsWithATag) {
  w->avatar.versions.emplace_back().version = "v000001";
  auto x = asked(list_versions{nullptr, {"anna"}});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["current_version"], "v000001");
  EXPECT_EQ(x->body()["total"], 1);
  EXPECT_EQ(x->body()["versions"][0]["version"], "v000001");
  EXPECT_EQ(x->header("ETag"), pipeline::avatar_tag(w->avatar));
  EXPECT_EQ(asked(show_avatar{nullptr, {"anna"}})->header("ETag"), x->header("ETag"));
}

TEST_F(FrontEnd, PassesChangesOfVersionsOn) {
  auto change = actors::version_change{"anna", "v000001", " \"tag\"", {" k1", "print", "", 0}};
  EXPECT_EQ(asked(activate_version{nullptr, change})->status(), 200);
  EXPECT_EQ(asked(remove_version{nullptr, change})->status(), 200);
  asked(remove_avatar{nullptr, {"anna"}, false, " \"tag\""});
  EXPECT_EQ(w->asked, (std::vector<std::string>{"activate v000001 \"tag\" k1",
                                                "remove v000001 \"tag\"", "remove \"tag\""}));
  w->refuse = errc::precondition_failed;
  EXPECT_EQ(asked(activate_version{nullptr, change})->status(), 412);
}

TEST_F(FrontEnd, ServesThePreviewOfTheCurrentVersion) {
  auto version = folder / ".store" / "anna" / "v000001";
  std::filesystem::create_directories(version);
  std::ofstream{version / "preview.jpg"} << "jpg";
  auto x = asked(show_picture{nullptr, {"anna"}, "preview.jpg"});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->file(), version / "preview.jpg");
  EXPECT_EQ(x->header("Content-Type"), "image/jpeg");
}

TEST_F(FrontEnd, HasNoPreviewWithoutAVersionOrFile) {
  EXPECT_EQ(asked(show_picture{nullptr, {"anna"}, "preview.jpg"})->code(), "avatar.not_found");
  w->avatar.current_version.clear();
  EXPECT_EQ(asked(show_picture{nullptr, {"anna"}, "preview.jpg"})->status(), 404);
}

TEST_F(FrontEnd, IsReadyInMockModeWithoutWeightsOrDevice) {
  auto x = asked(show_readiness{});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["ready"], true);
}

TEST_F(FrontEnd, SaysWhichWeightsAreMissing) {
  settings.mode = "native";
  settings.weights = "real";
  settings.models_dir = folder / "models";
  auto x = asked(show_readiness{});
  EXPECT_EQ(x->status(), 503);
  EXPECT_EQ(x->code(), "models.missing");
  EXPECT_NE(x->body()["missing"].dump().find("sd-vae/config.json"), std::string::npos);
  EXPECT_EQ(asked(show_health{})->body()["status"], "degraded");
}

TEST_F(FrontEnd, IsNotReadyBeforeTheNetworksAreLoaded) {
  settings.mode = "native";
  settings.weights = "synthetic";
  auto x = asked(show_readiness{});
  EXPECT_EQ(x->status(), 503);
  EXPECT_EQ(x->body()["ready"], false);
  w->queue.device.ready = true;
  EXPECT_EQ(asked(show_readiness{})->status(), 200);
}

TEST_F(FrontEnd, TellsHealthWithoutAskingTheDevice) {
  w->queue.queued = 3;
  auto x = asked(show_health{});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["queue"]["queued"], 3);
  EXPECT_EQ(w->asked, (std::vector<std::string>{"status"}));
}

TEST_F(FrontEnd, TellsWhatACheckOfTheStoreFound) {
  auto x = asked(check_store{nullptr, true});
  EXPECT_EQ(x->status(), 200);
  EXPECT_EQ(x->body()["sound"], false);
  EXPECT_EQ(x->body()["deep"], true);
  EXPECT_EQ(x->body()["findings"][0]["code"], "link.missing");
  EXPECT_EQ(x->body()["findings"][0]["heals"], true);
}

TEST_F(FrontEnd, ClosesAnUploadAndCommitsIt) {
  w->submitted = job_in(job_state::queued);
  subject = own(sys.spawn(front_end, settings));
  auto closer = own(sys.spawn(upload_closer, subject, settings.uploads));
  std::filesystem::create_directories(folder / ".uploads");
  auto spool = std::make_shared<pipeline::upload_spool>(settings.store.upload("u1"), "u1", 100);
  spool->write(std::as_bytes(std::span{"12345", 5}));
  auto to = make_exchange();
  caf::anon_send(closer, end_upload{to, std::exchange(spool, nullptr), {}, std::nullopt});
  sched.run();
  EXPECT_EQ(to->status(), 202);
  EXPECT_EQ(w->asked, (std::vector<std::string>{"commit 5"}));
  EXPECT_TRUE(std::filesystem::exists(settings.store.upload("u1") / "source"));
}

TEST_F(FrontEnd, RefusesAnEmptyUploadAndLeavesNothing) {
  subject = own(sys.spawn(front_end, settings));
  auto closer = own(sys.spawn(upload_closer, subject, settings.uploads));
  std::filesystem::create_directories(folder / ".uploads");
  auto spool = std::make_shared<pipeline::upload_spool>(settings.store.upload("u1"), "u1", 100);
  auto to = make_exchange();
  caf::anon_send(closer, end_upload{to, std::exchange(spool, nullptr), {}, std::nullopt});
  sched.run();
  EXPECT_EQ(to->code(), "video.empty");
  EXPECT_EQ(w->asked, (std::vector<std::string>{"gone"}));
  EXPECT_TRUE(std::filesystem::is_empty(folder / ".uploads"));
}

} // namespace musetalk::http
