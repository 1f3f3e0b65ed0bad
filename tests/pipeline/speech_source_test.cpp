#include "pipeline/speech_source.hpp"

#include "pipeline/clip_preparer.hpp"
#include "pipeline/film.hpp"
#include "pipeline/latents_writer.hpp"
#include "pipeline/speech_reader.hpp"
#include "tests/pipeline/media.hpp"
#include "tests/pipeline/sample_frames.hpp"

#include <gmock/gmock.h>

#include <opencv2/imgcodecs.hpp>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::Each;
using ::testing::ElementsAre;

namespace {

/// Hears in each step how loud the segment is, and counts the segments.
class loudness : public sound_analysis {
public:
  std::vector<heard_sound> listen(std::span<const sound_segment> segments) override {
    auto result = std::vector<heard_sound>{};
    for (const auto& x : segments) {
      samples.push_back(x.samples->size());
      auto values = std::vector<float>(1500);
      for (auto i = size_t{0}; i < values.size() && i * 320 < x.samples->size(); ++i)
        for (auto j = i * 320; j < std::min(x.samples->size(), (i + 1) * 320); ++j)
          values[i] = std::max(values[i], std::abs((*x.samples)[j]));
      result.push_back({1500, 1, 1, std::make_shared<const std::vector<float>>(std::move(values))});
    }
    return result;
  }

  std::vector<size_t> samples; ///< Of each segment.
};

class SpeechSource : public ::testing::Test {
protected:
  SpeechSource() : store_(open_avatar_store(folder_ / "avatars")) {
    test::publish_version(*store_, "anna", "job1", 4);
  }

  speech_request wish(const std::string& sound) const {
    return {media(sound), store_->layout().link("anna"), {}};
  }

  std::unique_ptr<speech_source> open(const speech_request& request) {
    auto config = speech_config{};
    config.limits.max_probe_seconds = 30.;
    return open_speech(request, config, ears_);
  }

  /// All frames, in batches.
  std::vector<speech_frame> read_all(speech_source& source, int32_t at_once = 7) {
    auto result = std::vector<speech_frame>{};
    for (;;) {
      auto batch = source.next(at_once);
      EXPECT_LE(std::ssize(batch.frames), at_once);
      for (auto& x : batch.frames)
        result.push_back(std::move(x));
      if (batch.last)
        return result;
    }
  }

  /// Numbers of the avatar's frames that are shown.
  static std::vector<int64_t> numbers(const std::vector<speech_frame>& frames) {
    auto result = std::vector<int64_t>{};
    for (const auto& x : frames)
      for (auto number = int64_t{0}; number < 4; ++number)
        if (*x.picture.pixels == *test::make_frame(number).source.picture.pixels)
          result.push_back(number);
    return result;
  }

  scratch_folder folder_;
  std::unique_ptr<avatar_store> store_;
  std::shared_ptr<loudness> ears_ = std::make_shared<loudness>();
};

} // namespace

TEST_F(SpeechSource, GivesEachFrameItsPictureItsLatentAndItsSound) {
  auto source = open(wish("beep.wav"));
  EXPECT_EQ(source->plan().frames, 75);
  EXPECT_EQ(source->plan().width, 96);
  EXPECT_DOUBLE_EQ(source->plan().duration_s, 3.);
  auto frames = read_all(*source);
  ASSERT_EQ(frames.size(), 75u);
  for (auto i = size_t{0}; i < frames.size(); ++i) {
    const auto& x = frames[i];
    EXPECT_EQ(x.index, static_cast<int64_t>(i));
    EXPECT_TRUE(x.face);
    ASSERT_EQ(x.lips.heard->size(), 10u);
    // Frame i begins at step 2i, four steps into its window; the tone lasts from 1 s to 1.5 s.
    auto loud = (*x.lips.heard)[4] > 0.1f;
    EXPECT_EQ(loud, i >= 25 && i < 38) << i;
  }
  auto shown = numbers(frames);
  shown.resize(10);
  EXPECT_THAT(shown, ElementsAre(0, 1, 2, 3, 3, 2, 1, 0, 0, 1));
  EXPECT_EQ(*frames[5].lips.code.half_bits, *test::make_latent(2).half_bits);
  EXPECT_THAT(ears_->samples, ElementsAre(48'000));
}

TEST_F(SpeechSource, BeginsAndEndsWhereItIsTold) {
  auto request = wish("beep.wav");
  request.options.start_frame = 1;
  request.options.mode = sync_mode::cut_off;
  auto source = open(request);
  EXPECT_EQ(source->plan().frames, 3);
  EXPECT_THAT(numbers(read_all(*source)), ElementsAre(1, 2, 3));
}

TEST_F(SpeechSource, MakesAsManyFramesAsItsRateWants) {
  auto request = wish("beep.wav");
  request.options.fps = 30;
  EXPECT_EQ(open(request)->plan().frames, 90);
}

TEST_F(SpeechSource, RefusesAFirstFrameThatIsNotThere) {
  auto request = wish("beep.wav");
  request.options.start_frame = 4;
  const auto why = error_of([&] { open(request); });
  EXPECT_EQ(why.code(), errc::request_field_invalid);
  EXPECT_EQ(why.detail(), "start_frame is 4; the avatar has the frames 0 to 3.");
}

TEST_F(SpeechSource, FindsDamageBeforeAnyWorkIsDone) {
  EXPECT_EQ(error_of([&] { open(wish("no_samples.wav")); }).code(), errc::audio_too_short);
  EXPECT_EQ(error_of([&] { open(wish("plain.mp4")); }).code(), errc::audio_no_track);
  auto nobody = wish("beep.wav");
  nobody.avatar = store_->layout().link("nobody");
  EXPECT_EQ(error_of([&] { open(nobody); }).code(), errc::avatar_not_found);
  EXPECT_TRUE(ears_->samples.empty());
}

TEST_F(SpeechSource, SaysWhatASoundIsWithoutReadingIt) {
  const auto x = probe_speech(media("beep.mp4"), {600., 30.});
  EXPECT_NEAR(x.duration_s, 3., 0.05);
  EXPECT_TRUE(x.has_audio);
}

// -- the film of it -------------------------------------------------------------

TEST_F(SpeechSource, IsFilmedWithEveryFrameAndFace) {
  auto request = wish("beep.wav");
  auto source = open(request);
  auto plan = film_plan{folder_ / "film.mp4", request.sound, source->plan(), {}, false};
  plan.options.crf = 1;
  auto film = open_film(plan, {{600., 30.}, "veryfast", 1});
  auto faces = std::vector<image>(5, test::make_picture(256, 256, 3, 9));
  while (true) {
    auto batch = source->next(5);
    film->write(batch, std::span{faces}.first(faces_in(batch)));
    if (batch.last)
      break;
  }
  film->finish();
  auto limits = media_limits{};
  limits.max_probe_seconds = 30.;
  const auto made = probe_video(plan.file, limits);
  EXPECT_EQ(made.predicted_frames, 75);
  EXPECT_EQ(made.width, 96);
  EXPECT_TRUE(made.has_audio);
}

TEST_F(SpeechSource, IsNotFilmedWithAnotherCountOfFaces) {
  auto request = wish("beep.wav");
  auto source = open(request);
  auto film = open_film({folder_ / "film.mp4", request.sound, source->plan(), {}, false},
                        {{600., 30.}, "veryfast", 1});
  auto batch = source->next(5);
  EXPECT_EQ(error_of([&] { film->write(batch, {}); }).code(), errc::internal);
}
