#include "http/speech_request.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace musetalk::http {

namespace {

std::optional<errc> refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const error& e) {
    EXPECT_FALSE(e.detail().empty());
    return e.code();
  }
  return std::nullopt;
}

std::optional<errc> field_refusal(const std::string& name, const std::string& text) {
  return refusal([&] {
    auto options = pipeline::speech_options{};
    set_speech_field(options, name, text);
  });
}

} // namespace

TEST(SpeechRequest, HasTheUsualOptionsWithoutAnyField) {
  auto x = speech_request_of(R"({"audio_path":"a/hello.wav"})");
  EXPECT_EQ(x.kind, pipeline::job_kind::speak);
  EXPECT_EQ(x.video_path, "a/hello.wav");
  EXPECT_EQ(x.video_name, "hello.wav");
  EXPECT_EQ(x.speech, pipeline::speech_options{});
  EXPECT_EQ(x.speech.fps, 25);
  EXPECT_EQ(x.speech.mode, pipeline::sync_mode::bounce);
}

TEST(SpeechRequest, TakesEveryField) {
  auto x = speech_request_of(R"({"audio_path":"a.wav","fps":30,"batch_size":4,"start_frame":12,)"
                             R"("sync_mode":"cut_off","crf":23})");
  EXPECT_EQ(x.speech, (pipeline::speech_options{30, 4, 12, pipeline::sync_mode::cut_off, 23}));
}

TEST(SpeechRequest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal([] { speech_request_of("{}"); }), errc::request_field_missing);
  EXPECT_EQ(refusal([] { speech_request_of("[]"); }), errc::request_malformed);
  EXPECT_EQ(refusal([] { speech_request_of(R"({"audio_path":"a","voice":"x"})"); }),
            errc::request_field_unknown);
  for (auto bad : {R"({"audio_path":7})", R"({"audio_path":""})",
                   R"({"audio_path":"a","fps":"25"})", R"({"audio_path":"a","fps":25.5})",
                   R"({"audio_path":"a","sync_mode":1})", R"({"audio_path":"a","crf":null})"})
    EXPECT_EQ(refusal([&] { speech_request_of(bad); }), errc::request_field_invalid) << bad;
}

TEST(SpeechRequest, BoundsEveryField) {
  for (auto [name, good, bad] : {std::tuple{"fps", "10", "9"},
                                 {"fps", "50", "51"},
                                 {"batch_size", "1", "0"},
                                 {"batch_size", "64", "65"},
                                 {"start_frame", "0", "-1"},
                                 {"crf", "51", "52"},
                                 {"crf", "0", "-1"},
                                 {"sync_mode", "loop", "remap"},
                                 {"sync_mode", "bounce", "Bounce"}}) {
    EXPECT_EQ(field_refusal(name, good), std::nullopt) << name << good;
    EXPECT_EQ(field_refusal(name, bad), errc::request_field_invalid) << name << bad;
  }
}

TEST(SpeechRequest, TellsOptionsApart) {
  auto usual = pipeline::speech_options{};
  auto other = usual;
  other.start_frame = 1;
  EXPECT_NE(speech_text(usual), speech_text(other));
}

} // namespace musetalk::http
