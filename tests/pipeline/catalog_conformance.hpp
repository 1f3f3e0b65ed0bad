#pragma once

#include "pipeline/catalog.hpp"
#include "tests/pipeline/expect_error.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace musetalk::test {

/// Opens (and, the first time, makes) the catalog that lives in a folder.
struct catalog_kind {
  std::string name;
  std::function<std::unique_ptr<pipeline::catalog>(const std::filesystem::path&)> open;

  friend std::ostream& operator<<(std::ostream& out, const catalog_kind& x) {
    return out << x.name;
  }
};

/// What every implementation of `pipeline::catalog` must pass:
/// `INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogConformance, ::testing::Values(catalog_kind{…}));`
class CatalogConformance : public ::testing::TestWithParam<catalog_kind> {
protected:
  CatalogConformance() { reopen(); }

  /// As after a restart of the service.
  void reopen() {
    catalog_.reset();
    catalog_ = GetParam().open(folder_.path());
  }

  static pipeline::job make_job(const std::string& job_id, const std::string& avatar_id,
                                const std::string& tutor_id = "") {
    auto x = pipeline::job{};
    x.job_id = job_id;
    x.request.avatar_id = avatar_id;
    x.request.tutor_id = tutor_id;
    x.created_us = 1'700'000'000'000'000;
    x.engine = "native";
    return x;
  }

  pipeline::job add(const std::string& job_id, const std::string& avatar_id,
                    const std::string& tutor_id = "") {
    auto x = make_job(job_id, avatar_id, tutor_id);
    catalog_->add_job(x, "client");
    return x;
  }

  pipeline::job move(pipeline::job x, pipeline::job_state state, const std::string& reason = "") {
    x.state = state;
    catalog_->move_job(x, "registry", reason);
    return x;
  }

  static pipeline::avatar_version make_version(const std::string& version,
                                               const std::string& job_id) {
    auto x = pipeline::avatar_version{};
    x.version = version;
    x.created_us = 1'700'000'001'000'000 + static_cast<int64_t>(version.back());
    x.job_id = job_id;
    x.engine = "native";
    x.weights = "synthetic";
    x.frames = 125;
    x.width = 1280;
    x.height = 720;
    x.duration_s = 5.04;
    x.bytes = 123'456'789'012;
    x.video_sha256 = std::string(64, 'a');
    x.apply_blur = true;
    return x;
  }

  /// A whole life: queued, running, completed.
  void complete(const std::string& job_id, const std::string& avatar_id, const std::string& version,
                const std::string& tutor_id = "") {
    auto x = move(add(job_id, avatar_id, tutor_id), pipeline::job_state::running);
    x.state = pipeline::job_state::completed;
    x.version = version;
    catalog_->complete_job(x, make_version(version, job_id), "registry");
  }

  /// The same for a job that speaks.
  pipeline::spoken_video speak(const std::string& job_id, const std::string& avatar_id) {
    auto record = make_job(job_id, avatar_id);
    record.request.kind = pipeline::job_kind::speak;
    catalog_->add_job(record, "client");
    auto x = move(record, pipeline::job_state::running);
    x.state = pipeline::job_state::completed;
    auto video = pipeline::spoken_video{};
    video.video_id = job_id;
    video.avatar_id = avatar_id;
    video.version = "v000001";
    video.created_us = 1'700'000'000'000'000;
    video.weights = "synthetic";
    video.audio_name = "hello 'there'.wav";
    video.audio_sha256 = std::string(64, 'b');
    video.frames = 75;
    video.fps = 25;
    video.width = 640;
    video.height = 360;
    video.duration_s = 3.;
    video.bytes = 12'345;
    video.options = {25, 0, 3, pipeline::sync_mode::cut_off, 20};
    catalog_->complete_speech(x, video, "runner");
    return video;
  }

  static pipeline::avatar on_disk(const std::string& avatar_id,
                                  std::vector<pipeline::avatar_version> versions) {
    auto x = pipeline::avatar{};
    x.avatar_id = avatar_id;
    x.created_us = 1'600'000'000'000'000;
    x.status = "ready";
    x.current_version = versions.back().version;
    x.versions = std::move(versions);
    return x;
  }

  static std::vector<std::string> ids(const pipeline::job_page& page) {
    auto result = std::vector<std::string>{};
    for (const auto& x : page.jobs)
      result.push_back(x.record.job_id);
    return result;
  }

  static std::vector<std::string> ids(const std::vector<pipeline::job>& jobs) {
    auto result = std::vector<std::string>{};
    for (const auto& x : jobs)
      result.push_back(x.job_id);
    return result;
  }

  static std::vector<std::string> ids(const pipeline::avatar_page& page) {
    auto result = std::vector<std::string>{};
    for (const auto& x : page.avatars)
      result.push_back(x.avatar_id);
    return result;
  }

  static std::vector<std::string> names(const pipeline::avatar& x) {
    auto result = std::vector<std::string>{};
    for (const auto& version : x.versions)
      result.push_back(version.version);
    return result;
  }

  temporary_folder folder_;
  std::unique_ptr<pipeline::catalog> catalog_;
};

using strings = std::vector<std::string>;

// -- jobs ----------------------------------------------------------------------

TEST_P(CatalogConformance, KeepsEveryFieldOfAJobOverARestart) {
  auto x = make_job("j1", "anna", "tutor 'x' \xC3\xA4");
  x.request.apply_blur = true;
  x.request.upload_id = "u1";
  x.request.video_path = "/videos/a b.mp4";
  x.request.video_name = "a\"b.mp4";
  x.request.video_sha256 = std::string(64, '0');
  x.request.video_bytes = 5'000'000'000;
  catalog_->add_job(x, "client");
  x.state = pipeline::job_state::running;
  x.attempt = 2;
  x.started_us = 11;
  x.weights = "real";
  catalog_->move_job(x, "registry", "");
  x.state = pipeline::job_state::failed;
  x.finished_us = 12;
  x.failure = {errc::face_lost, "No face in frames 3 to 40."};
  x.timings_ms = {{"validate", 12}, {"prepare", 3456}};
  catalog_->move_job(x, "registry", "");
  reopen();
  auto found = catalog_->find_job("j1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->request.avatar_id, "anna");
  EXPECT_EQ(found->request.tutor_id, x.request.tutor_id);
  EXPECT_TRUE(found->request.apply_blur);
  EXPECT_EQ(found->request.upload_id, "u1");
  EXPECT_EQ(found->request.video_path, "/videos/a b.mp4");
  EXPECT_EQ(found->request.video_name, "a\"b.mp4");
  EXPECT_EQ(found->request.video_sha256, x.request.video_sha256);
  EXPECT_EQ(found->request.video_bytes, 5'000'000'000u);
  EXPECT_EQ(found->state, pipeline::job_state::failed);
  EXPECT_EQ(found->attempt, 2u);
  EXPECT_EQ(found->created_us, x.created_us);
  EXPECT_EQ(found->started_us, 11);
  EXPECT_EQ(found->finished_us, 12);
  EXPECT_EQ(found->weights, "real");
  EXPECT_EQ(found->engine, "native");
  EXPECT_EQ(found->failure.code, errc::face_lost);
  EXPECT_EQ(found->failure.detail, "No face in frames 3 to 40.");
  EXPECT_EQ(found->timings_ms, x.timings_ms);
}

TEST_P(CatalogConformance, KnowsNoJobThatWasNotAdded) {
  EXPECT_FALSE(catalog_->find_job("j1"));
  EXPECT_TRUE(catalog_->job_events("j1").empty());
  detail_of(errc::job_not_found,
            [&] { move(make_job("j1", "anna"), pipeline::job_state::running); });
}

TEST_P(CatalogConformance, TakesAJobOnce) {
  add("j1", "anna");
  detail_of(errc::internal, [&] { add("j1", "berta"); });
  EXPECT_EQ(catalog_->find_job("j1")->request.avatar_id, "anna");
  EXPECT_FALSE(catalog_->find_avatar("berta"));
  EXPECT_EQ(catalog_->job_events("j1").size(), 1u);
}

TEST_P(CatalogConformance, WritesOneEventForEveryMove) {
  auto x = move(add("j1", "anna"), pipeline::job_state::running, "a place is free");
  add("j2", "berta");
  move(x, pipeline::job_state::queued, "the service was restarted");
  reopen();
  auto events = catalog_->job_events("j1");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].state, pipeline::job_state::queued);
  EXPECT_EQ(events[0].actor, "client");
  EXPECT_EQ(events[1].state, pipeline::job_state::running);
  EXPECT_EQ(events[1].actor, "registry");
  EXPECT_EQ(events[1].reason, "a place is free");
  EXPECT_EQ(events[2].reason, "the service was restarted");
  EXPECT_EQ(events[2].job_id, "j1");
  EXPECT_LT(events[0].sequence, events[1].sequence);
  EXPECT_LT(events[1].sequence + 1, events[2].sequence); // j2's event lies between
  EXPECT_GT(events[0].at_us, 0);
}

TEST_P(CatalogConformance, RefusesAMoveThatTheTableForbids) {
  auto x = add("j1", "anna");
  detail_of(errc::internal, [&] { move(x, pipeline::job_state::completed); });
  move(x, pipeline::job_state::cancelled);
  detail_of(errc::internal, [&] { move(x, pipeline::job_state::running); });
  EXPECT_EQ(catalog_->find_job("j1")->state, pipeline::job_state::cancelled);
  EXPECT_EQ(catalog_->job_events("j1").size(), 2u);
}

TEST_P(CatalogConformance, ForgetsTheFailureOfAJobThatRunsAgain) {
  auto x = move(add("j1", "anna"), pipeline::job_state::running);
  x.failure = {errc::internal, "left over"};
  move(x, pipeline::job_state::queued);
  EXPECT_EQ(catalog_->find_job("j1")->failure.detail, "");
}

TEST_P(CatalogConformance, QueuesInTheOrderOfAdding) {
  add("j3", "anna");
  add("j1", "berta");
  auto running = move(add("j2", "carla"), pipeline::job_state::running);
  move(move(add("j4", "dora"), pipeline::job_state::running), pipeline::job_state::cancelling);
  move(add("j5", "emma"), pipeline::job_state::cancelled);
  reopen();
  EXPECT_EQ(ids(catalog_->queued_jobs()), (strings{"j3", "j1"}));
  EXPECT_EQ(ids(catalog_->active_jobs()), (strings{"j2", "j4"}));
  // what was interrupted keeps its place
  move(running, pipeline::job_state::queued);
  EXPECT_EQ(ids(catalog_->queued_jobs()), (strings{"j3", "j1", "j2"}));
}

TEST_P(CatalogConformance, ListsJobsNewestFirst) {
  add("j1", "anna", "t1");
  move(add("j2", "berta", "t2"), pipeline::job_state::running);
  move(add("j3", "anna", "t1"), pipeline::job_state::cancelled);
  EXPECT_EQ(ids(catalog_->list_jobs({}, {})), (strings{"j3", "j2", "j1"}));
  EXPECT_EQ(ids(catalog_->list_jobs({.states = {}, .avatar_id = "anna", .tutor_id = ""}, {})),
            (strings{"j3", "j1"}));
  EXPECT_EQ(ids(catalog_->list_jobs({.states = {}, .avatar_id = "", .tutor_id = "t2"}, {})),
            (strings{"j2"}));
  auto open = pipeline::job_filter{};
  open.states = {pipeline::job_state::queued, pipeline::job_state::running};
  EXPECT_EQ(ids(catalog_->list_jobs(open, {})), (strings{"j2", "j1"}));
  open.avatar_id = "anna";
  auto page = catalog_->list_jobs(open, {});
  EXPECT_EQ(ids(page), (strings{"j1"}));
  EXPECT_EQ(page.total, 1u);
  auto hostile = pipeline::job_filter{};
  hostile.avatar_id = "x' OR 1=1 --";
  EXPECT_EQ(ids(catalog_->list_jobs(hostile, {})), strings{});
}

TEST_P(CatalogConformance, PagesJobsWhileOthersAreAdded) {
  for (auto i = 1; i <= 5; ++i)
    add("j" + std::to_string(i), "anna");
  auto page = catalog_->list_jobs({}, {.limit = 2, .cursor = ""});
  EXPECT_EQ(ids(page), (strings{"j5", "j4"}));
  EXPECT_EQ(page.total, 5u);
  add("j6", "anna");
  page = catalog_->list_jobs({}, {.limit = 2, .cursor = page.next_cursor});
  EXPECT_EQ(ids(page), (strings{"j3", "j2"}));
  page = catalog_->list_jobs({}, {.limit = 2, .cursor = page.next_cursor});
  EXPECT_EQ(ids(page), (strings{"j1"}));
  EXPECT_EQ(page.next_cursor, "");
  EXPECT_EQ(page.total, 6u);
}

TEST_P(CatalogConformance, EndsAFullLastPageWithoutACursor) {
  add("j1", "anna");
  add("j2", "anna");
  EXPECT_EQ(catalog_->list_jobs({}, {.limit = 2, .cursor = ""}).next_cursor, "");
  EXPECT_EQ(ids(catalog_->list_jobs({}, {.limit = 0, .cursor = ""})), (strings{"j2"}));
}

TEST_P(CatalogConformance, RefusesACursorOfAnotherList) {
  for (auto cursor : {"x", "j", "j1x", "j-1", "aanna", "1; DROP TABLE jobs"})
    detail_of(errc::request_field_invalid,
              [&] { catalog_->list_jobs({}, {.limit = 2, .cursor = cursor}); });
  detail_of(errc::request_field_invalid,
            [&] { catalog_->list_avatars({}, {.limit = 2, .cursor = "j1"}); });
}

// -- avatars -------------------------------------------------------------------

TEST_P(CatalogConformance, PreparesAnAvatarWithItsFirstJob) {
  add("j1", "anna", "t1");
  auto x = catalog_->find_avatar("anna");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->status, "preparing");
  EXPECT_EQ(x->tutor_id, "t1");
  EXPECT_EQ(x->latest_job_id, "j1");
  EXPECT_EQ(x->current_version, "");
  EXPECT_GT(x->created_us, 0);
  EXPECT_FALSE(catalog_->find_avatar("berta"));
}

TEST_P(CatalogConformance, FailsAnAvatarThatNeverWasAndTriesAgain) {
  auto x = move(add("j1", "anna"), pipeline::job_state::running);
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "preparing");
  move(x, pipeline::job_state::failed);
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "failed");
  add("j2", "anna");
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "preparing");
  EXPECT_EQ(catalog_->find_avatar("anna")->latest_job_id, "j2");
}

TEST_P(CatalogConformance, CompletesAJobWithItsVersion) {
  complete("j1", "anna", "v000001");
  complete("j2", "anna", "v000002", "t2");
  reopen();
  auto x = catalog_->find_avatar("anna");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->status, "ready");
  EXPECT_EQ(x->current_version, "v000002");
  EXPECT_EQ(x->tutor_id, "t2");
  ASSERT_EQ(names(*x), (strings{"v000001", "v000002"}));
  const auto& version = x->versions[0];
  EXPECT_EQ(version.job_id, "j1");
  EXPECT_EQ(version.engine, "native");
  EXPECT_EQ(version.weights, "synthetic");
  EXPECT_EQ(version.frames, 125);
  EXPECT_EQ(version.width, 1280);
  EXPECT_EQ(version.height, 720);
  EXPECT_EQ(version.duration_s, 5.04);
  EXPECT_EQ(version.bytes, 123'456'789'012u);
  EXPECT_EQ(version.video_sha256, std::string(64, 'a'));
  EXPECT_TRUE(version.apply_blur);
  EXPECT_EQ(catalog_->find_job("j1")->state, pipeline::job_state::completed);
  EXPECT_EQ(catalog_->find_job("j1")->version, "v000001");
  EXPECT_EQ(catalog_->job_events("j1").back().state, pipeline::job_state::completed);
}

TEST_P(CatalogConformance, StaysReadyWhenALaterJobFails) {
  complete("j1", "anna", "v000001");
  auto x = move(add("j2", "anna"), pipeline::job_state::running);
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "ready");
  move(x, pipeline::job_state::failed);
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "ready");
}

TEST_P(CatalogConformance, AddsNoVersionOfAJobThatCannotComplete) {
  auto x = move(add("j1", "anna"), pipeline::job_state::cancelled);
  detail_of(errc::internal,
            [&] { catalog_->complete_job(x, make_version("v000001", "j1"), "registry"); });
  EXPECT_TRUE(catalog_->find_avatar("anna")->versions.empty());
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "failed");
}

TEST_P(CatalogConformance, KeepsHowAJobIsQueued) {
  auto x = make_job("job1", "anna");
  x.request.priority = pipeline::job_priority::high;
  x.request.force = true;
  x.request.video_frames = 250;
  x.request.video_pixels = 1280 * 720;
  x.queued_us = 1'700'000'000'500'000;
  x.options_key = std::string(64, 'c');
  catalog_->add_job(x, "client");
  reopen();
  auto kept = catalog_->find_job("job1").value();
  EXPECT_EQ(kept.request.priority, pipeline::job_priority::high);
  EXPECT_TRUE(kept.request.force);
  EXPECT_EQ(kept.request.video_frames, 250);
  EXPECT_EQ(kept.request.video_pixels, 1280 * 720);
  EXPECT_EQ(kept.queued_us, x.queued_us);
  EXPECT_EQ(kept.options_key, x.options_key);
  kept.queued_us += 5;
  kept.options_key = std::string(64, 'd');
  move(kept, pipeline::job_state::running);
  EXPECT_EQ(catalog_->find_job("job1")->queued_us, kept.queued_us);
  EXPECT_EQ(catalog_->find_job("job1")->options_key, kept.options_key);
}

TEST_P(CatalogConformance, FindsTheNewestVersionOfTheSameWork) {
  auto version = make_version("v000001", "job1");
  version.options_key = std::string(64, 'c');
  auto make = [&](const std::string& job_id, const std::string& avatar_id) {
    auto x = move(add(job_id, avatar_id), pipeline::job_state::running);
    x.state = pipeline::job_state::completed;
    catalog_->complete_job(x, version, "runner");
    version.created_us += 1;
  };
  make("job1", "anna");
  make("job2", "bert");
  complete("job3", "carl", "v000001"); // by a program that kept no options
  reopen();
  auto sha256 = version.video_sha256;
  EXPECT_EQ(catalog_->find_version(sha256, version.options_key)->avatar_id, "bert");
  EXPECT_EQ(catalog_->find_avatar("anna")->versions[0].options_key, version.options_key);
  EXPECT_FALSE(catalog_->find_version(sha256, std::string(64, 'e')));
  EXPECT_FALSE(catalog_->find_version(std::string(64, 'b'), version.options_key));
  EXPECT_FALSE(catalog_->find_version(sha256, ""));
  EXPECT_FALSE(catalog_->find_version("", version.options_key));
  catalog_->remove_avatar("bert");
  EXPECT_EQ(catalog_->find_version(sha256, version.options_key)->avatar_id, "anna");
}

TEST_P(CatalogConformance, ListsAvatarsById) {
  complete("j1", "carla", "v000001", "t1");
  add("j2", "anna", "t1");
  move(add("j3", "berta", "t2"), pipeline::job_state::cancelled);
  auto page = catalog_->list_avatars({}, {});
  ASSERT_EQ(ids(page), (strings{"anna", "berta", "carla"}));
  EXPECT_EQ(page.total, 3u);
  EXPECT_EQ(names(page.avatars[2]), (strings{"v000001"}));
  EXPECT_EQ(ids(catalog_->list_avatars({.tutor_id = "t1", .status = ""}, {})),
            (strings{"anna", "carla"}));
  EXPECT_EQ(ids(catalog_->list_avatars({.tutor_id = "t1", .status = "ready"}, {})),
            (strings{"carla"}));
  EXPECT_EQ(catalog_->list_avatars({.tutor_id = "t3", .status = ""}, {}).total, 0u);
}

TEST_P(CatalogConformance, PagesAvatarsWhileOthersComeAndGo) {
  for (auto id : {"b", "d", "f", "h"})
    add(std::string{"j"} + id, id);
  auto page = catalog_->list_avatars({}, {.limit = 2, .cursor = ""});
  EXPECT_EQ(ids(page), (strings{"b", "d"}));
  add("ja", "a"); // before the cursor: not seen
  add("jg", "g"); // behind it: seen
  catalog_->remove_avatar("d");
  page = catalog_->list_avatars({}, {.limit = 2, .cursor = page.next_cursor});
  EXPECT_EQ(ids(page), (strings{"f", "g"}));
  page = catalog_->list_avatars({}, {.limit = 2, .cursor = page.next_cursor});
  EXPECT_EQ(ids(page), (strings{"h"}));
  EXPECT_EQ(page.next_cursor, "");
}

TEST_P(CatalogConformance, RemovesAnAvatarButNotItsHistory) {
  complete("j1", "anna", "v000001");
  EXPECT_TRUE(catalog_->remove_avatar("anna"));
  EXPECT_FALSE(catalog_->remove_avatar("anna"));
  EXPECT_FALSE(catalog_->find_avatar("anna"));
  EXPECT_EQ(catalog_->find_job("j1")->state, pipeline::job_state::completed);
  // the id is free: nothing of the old versions comes back
  add("j2", "anna");
  EXPECT_TRUE(catalog_->find_avatar("anna")->versions.empty());
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "preparing");
}

// -- videos that avatars made ---------------------------------------------------

TEST_P(CatalogConformance, KeepsHowAJobSpeaks) {
  auto x = make_job("j1", "anna");
  x.request.kind = pipeline::job_kind::speak;
  x.request.speech = {30, 4, 7, pipeline::sync_mode::loop, 23};
  catalog_->add_job(x, "client");
  EXPECT_FALSE(catalog_->find_avatar("anna")) << "speaking makes no avatar";
  reopen();
  auto stored = catalog_->find_job("j1");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->request.kind, pipeline::job_kind::speak);
  EXPECT_EQ(stored->request.speech, x.request.speech);
}

TEST_P(CatalogConformance, CompletesAJobThatSpoke) {
  complete("j0", "anna", "v000001");
  auto video = speak("j1", "anna");
  reopen();
  auto found = catalog_->find_video("anna", "j1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, "v000001");
  EXPECT_EQ(found->frames, video.frames);
  EXPECT_EQ(found->options, video.options);
  EXPECT_EQ(found->bytes, video.bytes);
  EXPECT_DOUBLE_EQ(found->duration_s, video.duration_s);
  EXPECT_EQ(found->audio_name, video.audio_name);
  EXPECT_EQ(catalog_->find_job("j1")->state, pipeline::job_state::completed);
  EXPECT_EQ(catalog_->find_avatar("anna")->latest_job_id, "j0");
  EXPECT_FALSE(catalog_->find_video("berta", "j1")) << "another avatar's";
}

TEST_P(CatalogConformance, ListsVideosNewestFirst) {
  complete("j0", "anna", "v000001");
  for (auto id : {"j1", "j2", "j3"})
    speak(id, "anna");
  auto page = catalog_->list_videos("anna", {.limit = 2, .cursor = ""});
  EXPECT_EQ(page.total, 3u);
  ASSERT_EQ(page.videos.size(), 2u);
  EXPECT_EQ(page.videos[0].video_id, "j3");
  page = catalog_->list_videos("anna", {.limit = 2, .cursor = page.next_cursor});
  ASSERT_EQ(page.videos.size(), 1u);
  EXPECT_EQ(page.videos[0].video_id, "j1");
  EXPECT_EQ(page.next_cursor, "");
  EXPECT_THROW(catalog_->list_videos("anna", {.limit = 2, .cursor = "j7"}), error);
}

TEST_P(CatalogConformance, RemovesVideosAndThoseOfARemovedAvatar) {
  complete("j0", "anna", "v000001");
  speak("j1", "anna");
  speak("j2", "anna");
  EXPECT_TRUE(catalog_->remove_video("anna", "j1"));
  EXPECT_FALSE(catalog_->remove_video("anna", "j1"));
  EXPECT_FALSE(catalog_->find_video("anna", "j1"));
  catalog_->remove_avatar("anna");
  EXPECT_FALSE(catalog_->find_video("anna", "j2"));
}

TEST_P(CatalogConformance, ComparesVideosWithTheDisk) {
  complete("j0", "anna", "v000001");
  auto there = speak("j1", "anna");
  speak("j2", "anna");
  auto whole = pipeline::stored_video{"anna", "j1", there.bytes};
  auto untold = pipeline::stored_video{"anna", "j3", 5};
  auto unknown = catalog_->reconcile_videos(std::vector{whole, untold});
  EXPECT_EQ(unknown, (std::vector{untold}));
  EXPECT_TRUE(catalog_->find_video("anna", "j1"));
  EXPECT_FALSE(catalog_->find_video("anna", "j2")) << "its file is gone";
  EXPECT_EQ(catalog_->find_job("j2")->state, pipeline::job_state::completed);
}

// -- another attempt -------------------------------------------------------------

TEST_P(CatalogConformance, QueuesAJobOnceMoreAndKeepsItsHistory) {
  auto x = move(move(add("j1", "anna", "t1"), pipeline::job_state::running),
                pipeline::job_state::failed);
  catalog_->remove_avatar("anna");
  x.state = pipeline::job_state::queued;
  x.attempt = 2;
  x.interruptions = 0;
  auto event = catalog_->retry_job(x, "client", "asked", {});
  EXPECT_EQ(event.attempt, 2u);
  reopen();
  EXPECT_EQ(ids(catalog_->queued_jobs()), (strings{"j1"}));
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "preparing");
  EXPECT_EQ(catalog_->find_avatar("anna")->latest_job_id, "j1");
  auto events = catalog_->job_events("j1");
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[2].attempt, 1u);
  EXPECT_EQ(events[3].attempt, 2u);
  EXPECT_EQ(events[3].sequence, event.sequence);
  EXPECT_EQ(events[3].reason, "asked");
}

TEST_P(CatalogConformance, KnowsWhichUploadsOfFailedJobsMayBeKept) {
  auto fail = [&](const std::string& id, const std::string& upload, int64_t finished_us) {
    auto x = make_job(id, "anna");
    x.request.upload_id = upload;
    catalog_->add_job(x, "client");
    x.finished_us = finished_us;
    move(x, pipeline::job_state::failed);
  };
  fail("old", "u1", 10);
  fail("second", "u2", 30);
  fail("first", "u3", 20);
  fail("of a path", "", 30);
  move(add("cancelled", "anna"), pipeline::job_state::cancelled);
  EXPECT_EQ(ids(catalog_->failed_uploads(20)), (strings{"first", "second"}));
}

// -- what happened -----------------------------------------------------------------

TEST_P(CatalogConformance, AnswersTheEventThatItWrote) {
  auto x = make_job("j1", "anna");
  auto first = catalog_->add_job(x, "client");
  EXPECT_EQ(first.job_id, "j1");
  EXPECT_EQ(first.avatar_id, "anna");
  EXPECT_EQ(first.state, pipeline::job_state::queued);
  EXPECT_EQ(first.sequence, catalog_->last_event());
  x.state = pipeline::job_state::running;
  auto second = catalog_->move_job(x, "registry", "attempt 1");
  EXPECT_EQ(second.sequence, first.sequence + 1);
  EXPECT_EQ(second.reason, "attempt 1");
  x.state = pipeline::job_state::completed;
  auto third = catalog_->complete_job(x, make_version("v000001", "j1"), "runner");
  EXPECT_EQ(third.state, pipeline::job_state::completed);
  auto stored = catalog_->job_events("j1");
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[2].sequence, third.sequence);
  EXPECT_EQ(stored[2].at_us, third.at_us);
}

TEST_P(CatalogConformance, PagesThroughEvents) {
  EXPECT_EQ(catalog_->last_event(), 0);
  auto x = add("j1", "anna");
  add("j2", "berta");
  move(x, pipeline::job_state::running);
  reopen();
  auto sequences = [&](const pipeline::event_query& query) {
    auto result = std::vector<int64_t>{};
    for (const auto& event : catalog_->events_after(query))
      result.push_back(event.sequence);
    return result;
  };
  EXPECT_EQ(catalog_->last_event(), 3);
  EXPECT_EQ(sequences({"", "", 0, 200}), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(sequences({"", "", 0, 2}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(sequences({"", "", 2, 2}), (std::vector<int64_t>{3}));
  EXPECT_EQ(sequences({"", "", 3, 2}), (std::vector<int64_t>{}));
  EXPECT_EQ(sequences({"j1", "", 1, 200}), (std::vector<int64_t>{3}));
  EXPECT_EQ(sequences({"", "berta", 0, 200}), (std::vector<int64_t>{2}));
}

// -- keys of requests ----------------------------------------------------------------

TEST_P(CatalogConformance, KeepsAKeyWithItsEffect) {
  auto x = make_job("j1", "anna");
  x.request.key = {"k1", "print", "", 50};
  catalog_->add_job(x, "client");
  x.state = pipeline::job_state::cancelled;
  catalog_->move_job(x, "client", "", {"k2", "other", "", 60});
  // What has no effect leaves no key.
  detail_of(errc::internal, [&] { catalog_->move_job(x, "client", "", {"k3", "third", "", 60}); });
  reopen();
  auto found = catalog_->find_key("k1", 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->fingerprint, "print");
  EXPECT_EQ(found->target, "j1");
  EXPECT_EQ(found->at_us, 50);
  EXPECT_EQ(catalog_->find_key("k2", 0)->target, "j1");
  EXPECT_FALSE(catalog_->find_key("k3", 0));
  EXPECT_FALSE(catalog_->find_key("", 0));
}

TEST_P(CatalogConformance, ForgetsOldKeysWhichCanThenBeUsedAgain) {
  catalog_->keep_key({"k1", "print", "j1", 1});
  EXPECT_TRUE(catalog_->find_key("k1", 1));
  EXPECT_FALSE(catalog_->find_key("k1", 2));
  catalog_->keep_key({"k1", "new", "j2", 2 + pipeline::request_key_age_us});
  EXPECT_EQ(catalog_->find_key("k1", 2)->target, "j2");
}

// -- versions -----------------------------------------------------------------------

TEST_P(CatalogConformance, MakesAnotherVersionCurrentAndForgetsOne) {
  complete("j1", "anna", "v000001");
  complete("j2", "anna", "v000002");
  detail_of(errc::version_not_found, [&] { catalog_->activate_version("anna", "v000003"); });
  detail_of(errc::version_not_found, [&] { catalog_->activate_version("berta", "v000001"); });
  catalog_->activate_version("anna", "v000001", {"k1", "print", "", 50});
  reopen();
  EXPECT_EQ(catalog_->find_avatar("anna")->current_version, "v000001");
  EXPECT_EQ(catalog_->find_key("k1", 0)->target, "anna");
  detail_of(errc::internal, [&] { catalog_->remove_version("anna", "v000001"); });
  EXPECT_TRUE(catalog_->remove_version("anna", "v000002"));
  EXPECT_FALSE(catalog_->remove_version("anna", "v000002"));
  EXPECT_EQ(names(*catalog_->find_avatar("anna")), (strings{"v000001"}));
}

// -- how long things stay -------------------------------------------------------------

TEST_P(CatalogConformance, RemembersTheLatestUseOfAnAvatar) {
  complete("j1", "anna", "v000001");
  auto born = catalog_->find_avatar("anna")->used_us;
  EXPECT_GT(born, 0);
  catalog_->note_uses({{"anna", born + 10}, {"nobody", 5}});
  catalog_->note_uses({{"anna", born + 3}});
  reopen();
  EXPECT_EQ(catalog_->find_avatar("anna")->used_us, born + 10);
  EXPECT_FALSE(catalog_->find_avatar("nobody"));
}

TEST_P(CatalogConformance, PinsAnAvatar) {
  complete("j1", "anna", "v000001");
  EXPECT_FALSE(catalog_->find_avatar("anna")->pinned);
  EXPECT_TRUE(catalog_->pin_avatar("anna", true));
  reopen();
  EXPECT_TRUE(catalog_->find_avatar("anna")->pinned);
  complete("j2", "anna", "v000002");
  EXPECT_TRUE(catalog_->find_avatar("anna")->pinned) << "a new version changes nothing";
  EXPECT_TRUE(catalog_->pin_avatar("anna", false));
  EXPECT_FALSE(catalog_->list_avatars({}, {}).avatars.at(0).pinned);
  EXPECT_FALSE(catalog_->pin_avatar("nobody", true));
}

TEST_P(CatalogConformance, KnowsSinceWhenAVersionIsOld) {
  complete("j1", "anna", "v000001");
  EXPECT_EQ(catalog_->find_avatar("anna")->versions[0].retired_us, 0);
  complete("j2", "anna", "v000002");
  auto first = catalog_->find_avatar("anna")->versions[0].retired_us;
  EXPECT_GT(first, 0);
  EXPECT_EQ(catalog_->find_avatar("anna")->versions[1].retired_us, 0);
  complete("j3", "anna", "v000003");
  EXPECT_EQ(catalog_->find_avatar("anna")->versions[0].retired_us, first);
  catalog_->activate_version("anna", "v000001");
  reopen();
  EXPECT_EQ(catalog_->find_avatar("anna")->versions[0].retired_us, 0);
  EXPECT_GT(catalog_->find_avatar("anna")->versions[2].retired_us, 0);
}

TEST_P(CatalogConformance, GivesTheVersionThatWasCheckedTheLongestAgo) {
  complete("j1", "anna", "v000001");
  complete("j2", "bert", "v000001");
  auto adopted = make_version("adopted", "");
  adopted.engine = "adopted";
  adopted.created_us = 1;
  auto known = catalog_->list_avatars({}, {}).avatars;
  known.push_back(on_disk("old", {adopted}));
  catalog_->reconcile(known);
  auto made = known[0].versions[0].created_us;
  EXPECT_FALSE(catalog_->oldest_check(made)) << "it was read back when it was made";
  EXPECT_EQ(catalog_->oldest_check(made + 100)->avatar_id, "anna");
  catalog_->note_check({"anna", "v000001"}, made + 50);
  reopen();
  EXPECT_EQ(catalog_->oldest_check(made + 100)->avatar_id, "bert");
  catalog_->note_check({"bert", "v000001"}, made + 60);
  EXPECT_EQ(catalog_->oldest_check(made + 100)->avatar_id, "anna");
  EXPECT_FALSE(catalog_->oldest_check(made + 50));
}

TEST_P(CatalogConformance, LosesADamagedVersion) {
  complete("j1", "anna", "v000001");
  complete("j2", "anna", "v000002");
  auto event = catalog_->lose_version({"anna", "v000002"}, "v000001", "mask is missing");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->job_id, "j2");
  EXPECT_EQ(event->state, pipeline::job_state::completed);
  EXPECT_EQ(event->actor, "scrub");
  EXPECT_EQ(event->reason, "mask is missing");
  EXPECT_EQ(event->sequence, catalog_->last_event());
  EXPECT_EQ(catalog_->find_avatar("anna")->current_version, "v000001");
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "ready");
  catalog_->lose_version({"anna", "v000001"}, "", "coords.pkl differs");
  reopen();
  EXPECT_EQ(catalog_->find_avatar("anna")->current_version, "");
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "failed");
  EXPECT_EQ(names(*catalog_->find_avatar("anna")), (strings{}));
  EXPECT_FALSE(catalog_->lose_version({"nobody", "v000001"}, "", ""));
}

TEST_P(CatalogConformance, ForgetsTheOldestEventsAndNoOthers) {
  complete("j1", "anna", "v000001");
  complete("j2", "anna", "v000002");
  ASSERT_EQ(catalog_->last_event(), 6);
  EXPECT_EQ(catalog_->first_event(), 1);
  EXPECT_EQ(catalog_->prune_events(0, 0, 100), 0) << "no limits";
  EXPECT_EQ(catalog_->prune_events(0, 4, 1), 1) << "at most one";
  EXPECT_EQ(catalog_->prune_events(0, 4, 100), 1);
  EXPECT_EQ(catalog_->first_event(), 3);
  auto left = catalog_->events_after({"", "", 0});
  ASSERT_EQ(left.size(), 4u);
  EXPECT_EQ(left[0].sequence, 3);
  auto third = left[0].at_us;
  EXPECT_EQ(catalog_->prune_events(third, 0, 100), 0);
  // The newest stays, so that no sequence is given twice.
  EXPECT_EQ(catalog_->prune_events(third + 1'000'000'000, 0, 100), 3);
  EXPECT_EQ(catalog_->last_event(), 6);
  reopen();
  EXPECT_EQ(catalog_->first_event(), 6);
  add("j3", "anna");
  EXPECT_EQ(catalog_->last_event(), 7);
}

TEST_P(CatalogConformance, KeepsTheEventsOfJobsThatHaveNotEnded) {
  complete("j1", "anna", "v000001");
  auto waiting = add("j2", "bert");
  complete("j3", "carl", "v000001");
  auto later = catalog_->events_after({"", "", 0}).back().at_us + 1;
  EXPECT_EQ(catalog_->prune_events(later, 1, 100), 3);
  EXPECT_EQ(catalog_->first_event(), 4);
  move(waiting, pipeline::job_state::cancelled);
  EXPECT_EQ(catalog_->prune_events(later, 1, 100), 4);
}

// -- what start-up found on disk -------------------------------------------------

TEST_P(CatalogConformance, TakesOverWhatIsOnDisk) {
  auto adopted = make_version("adopted", "");
  adopted.engine = "adopted";
  catalog_->reconcile(std::vector{on_disk("old", {adopted})});
  auto x = catalog_->find_avatar("old");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->status, "ready");
  EXPECT_EQ(x->current_version, "adopted");
  EXPECT_EQ(x->created_us, 1'600'000'000'000'000);
  ASSERT_EQ(names(*x), (strings{"adopted"}));
  EXPECT_EQ(x->versions[0].engine, "adopted");
}

TEST_P(CatalogConformance, DropsVersionsThatAreGone) {
  complete("j1", "anna", "v000001");
  complete("j2", "anna", "v000002");
  catalog_->reconcile(std::vector{on_disk("anna", {make_version("v000001", "j1")})});
  EXPECT_EQ(names(*catalog_->find_avatar("anna")), (strings{"v000001"}));
  EXPECT_EQ(catalog_->find_avatar("anna")->current_version, "v000001");
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "ready");
}

TEST_P(CatalogConformance, ForgetsAnAvatarWhoseFilesAreGone) {
  complete("j1", "anna", "v000001");
  complete("j2", "berta", "v000001");
  add("j3", "berta");
  move(add("j4", "carla"), pipeline::job_state::cancelled);
  catalog_->reconcile({});
  EXPECT_FALSE(catalog_->find_avatar("anna"));
  EXPECT_EQ(catalog_->find_avatar("berta")->status, "preparing"); // a job will make it again
  EXPECT_EQ(catalog_->find_avatar("carla")->status, "failed");
  EXPECT_EQ(catalog_->find_job("j1")->state, pipeline::job_state::completed);
}

TEST_P(CatalogConformance, CompletesAJobThatPublishedBeforeTheServiceEnded) {
  move(add("j1", "anna"), pipeline::job_state::running);
  reopen();
  catalog_->reconcile(std::vector{on_disk("anna", {make_version("v000001", "j1")})});
  EXPECT_TRUE(catalog_->active_jobs().empty());
  auto x = catalog_->find_job("j1");
  EXPECT_EQ(x->state, pipeline::job_state::completed);
  EXPECT_EQ(x->version, "v000001");
  EXPECT_GT(x->finished_us, 0);
  EXPECT_EQ(catalog_->job_events("j1").size(), 3u);
  EXPECT_EQ(catalog_->find_avatar("anna")->status, "ready");
}

TEST_P(CatalogConformance, ReconcilesTwiceToTheSame) {
  complete("j1", "anna", "v000001");
  auto before = catalog_->find_avatar("anna");
  catalog_->reconcile(std::vector{on_disk("anna", {make_version("v000001", "j1")})});
  catalog_->reconcile(std::vector{on_disk("anna", {make_version("v000001", "j1")})});
  auto after = catalog_->find_avatar("anna");
  EXPECT_EQ(after->updated_us, before->updated_us);
  EXPECT_EQ(names(*after), names(*before));
  EXPECT_EQ(catalog_->job_events("j1").size(), 3u);
}

} // namespace musetalk::test
