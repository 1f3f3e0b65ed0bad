#include "tests/actors/registry_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::actors;
using namespace musetalk::tests;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

namespace {

/// A REGISTRY that knows the avatar `anna` with two versions of a hundred frames.
struct RegistrySpeech : Registry {
  RegistrySpeech() {
    auto& anna = catalog->avatars["anna"];
    anna.avatar_id = "anna";
    for (auto name : {"v000001", "v000002"}) {
      auto version = avatar_version{};
      version.version = name;
      version.frames = 100;
      anna.versions.push_back(version);
    }
    anna.current_version = "v000002";
  }

  pipeline::job_request wish(const std::string& sha256 = "s1") {
    auto result = request("anna", sha256);
    result.kind = pipeline::job_kind::speak;
    return result;
  }

  tests::answer<job_view> speak(const pipeline::job_request& x) {
    return ask<job_view>(aut, atom::submit_v, x);
  }

  /// Ends a job with the video that it made.
  void end_speech(const std::string& id, const pipeline::job_request& x) {
    auto outcome = job_outcome{};
    outcome.job_id = id;
    outcome.state = job_state::completed;
    outcome.video.video_id = id;
    outcome.video.avatar_id = x.avatar_id;
    outcome.video.version = catalog->jobs.at(id).version;
    outcome.video.audio_sha256 = x.video_sha256;
    outcome.video.weights = limits.weights;
    outcome.video.options = x.speech;
    self->send(aut, atom::outcome_v, outcome);
    sched.run();
  }
};

} // namespace

TEST_F(RegistrySpeech, SpeaksWithTheVersionThatIsCurrentWhenItStarts) {
  spawn();
  auto x = speak(wish());
  ASSERT_TRUE(x.value);
  EXPECT_EQ(look("j1").value->record.version, "v000002");
  EXPECT_EQ(catalog->jobs.at("j1").version, "v000002");
}

TEST_F(RegistrySpeech, KeepsTheVideoThatAJobMade) {
  spawn();
  speak(wish());
  end_speech("j1", wish());
  EXPECT_EQ(look("j1").value->record.state, job_state::completed);
  EXPECT_EQ(look("j1").value->record.version, "v000002");
  auto page =
      ask<pipeline::video_page>(aut, atom::list_v, avatar_id{"anna"}, pipeline::page_request{});
  ASSERT_TRUE(page.value);
  ASSERT_EQ(page.value->videos.size(), 1u);
  auto one = ask<pipeline::spoken_video>(aut, atom::look_v, video_id{"anna", "j1"});
  EXPECT_EQ(one.value->version, "v000002");
  EXPECT_EQ(catalog->avatars["anna"].versions.size(), 2u) << "speaking makes no version";
}

TEST_F(RegistrySpeech, AnswersTheVideoThatIsThere) {
  spawn();
  speak(wish());
  EXPECT_EQ(speak(wish()).value->record.job_id, "j1") << "while it runs";
  end_speech("j1", wish());
  EXPECT_EQ(speak(wish()).value->record.job_id, "j1") << "and afterwards";
  auto other = wish();
  other.speech.crf = 30;
  EXPECT_EQ(speak(other).value->record.job_id, "j2");
  EXPECT_EQ(speak(wish("s2")).value->record.job_id, "j3");
  catalog->avatars["anna"].current_version = "v000001";
  EXPECT_EQ(speak(wish()).value->record.job_id, "j4") << "another version speaks";
}

TEST_F(RegistrySpeech, RefusesAnAvatarThatCannotSpeak) {
  spawn();
  auto nobody = wish();
  nobody.avatar_id = "nobody";
  EXPECT_EQ(speak(nobody).code, errc::avatar_not_found);
  auto late = wish();
  late.speech.start_frame = 100;
  auto refused = speak(late);
  EXPECT_EQ(refused.code, errc::request_field_invalid);
  EXPECT_EQ(refused.detail, "start_frame is 100; the avatar has the frames 0 to 99.");
  catalog->avatars["anna"].versions[1].frames = 0;
  EXPECT_EQ(speak(wish()).code, errc::avatar_not_ready) << "made without networks";
  catalog->avatars["anna"].current_version.clear();
  EXPECT_EQ(speak(wish()).code, errc::avatar_not_ready) << "still in preparation";
  EXPECT_TRUE(catalog->jobs.empty());
}

TEST_F(RegistrySpeech, RefusesWithoutTheNetworksThatSpeak) {
  limits.missing_to_speak = {"musetalkV15/unet.pth: missing"};
  spawn();
  auto refused = speak(wish());
  EXPECT_EQ(refused.code, errc::models_missing);
  EXPECT_EQ(refused.detail, "Weight files are missing: musetalkV15/unet.pth: missing.");
  EXPECT_TRUE(submit("berta").value) << "others are made all the same";
}

TEST_F(RegistrySpeech, KeepsTheVersionThatSpeaks) {
  spawn();
  speak(wish());
  catalog->avatars["anna"].current_version = "v000001";
  auto change = version_change{};
  change.avatar_id = "anna";
  change.version = "v000002";
  auto refused = ask<pipeline::avatar>(aut, atom::remove_v, change);
  EXPECT_EQ(refused.code, errc::version_busy);
  EXPECT_THAT(world.log, Not(Contains("remove anna v000002")));
  end_speech("j1", wish());
  EXPECT_TRUE(ask<pipeline::avatar>(aut, atom::remove_v, change).value);
  EXPECT_THAT(world.log, Contains("remove anna v000002"));
}

TEST_F(RegistrySpeech, RemovesAVideoFileFirst) {
  spawn();
  speak(wish());
  end_speech("j1", wish());
  auto id = video_id{"anna", "j1"};
  catalog->broken = true;
  EXPECT_EQ(ask<video_id>(aut, atom::remove_v, id).code, errc::catalog_failed);
  EXPECT_THAT(world.log, Contains("remove film anna j1"));
  catalog->broken = false;
  EXPECT_TRUE(ask<video_id>(aut, atom::remove_v, id).value);
  EXPECT_EQ(ask<video_id>(aut, atom::remove_v, id).code, errc::video_not_found);
  EXPECT_EQ(ask<pipeline::spoken_video>(aut, atom::look_v, id).code, errc::video_not_found);
}

TEST_F(RegistrySpeech, TakesUpAnInterruptedJobWithTheVersionOfThen) {
  auto x = job{};
  x.job_id = "old";
  x.request = wish();
  x.state = job_state::running;
  x.version = "v000001";
  x.created_us = 5;
  catalog->jobs["old"] = x;
  spawn();
  EXPECT_THAT(started(), ElementsAre("old"));
  EXPECT_EQ(catalog->jobs.at("old").version, "v000002");
  EXPECT_EQ(catalog->jobs.at("old").attempt, 2u);
}
