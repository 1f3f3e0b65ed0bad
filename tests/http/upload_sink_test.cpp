#include "http/routes/upload_sink.hpp"

#include "tests/actors/deterministic_system.hpp"
#include "tests/http/fake_exchange.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace musetalk::http {

namespace {

namespace atom = actors::atom;
using tests::fake_exchange;
using tests::make_exchange;

/// What became of an upload.
struct journal {
  std::vector<std::string> told; ///< To the UPLOAD RECEIVER.
  std::optional<end_upload> ended;
};

actors::upload_receiver_actor::behavior_type
upload_receiver_stub(actors::upload_receiver_actor::pointer, std::shared_ptr<journal> j) {
  return {
      [=](atom::began, const actors::upload_id&) { j->told.push_back("began"); },
      [=](atom::gone, const actors::upload_id&) { j->told.push_back("gone"); },
      [=](atom::commit, const pipeline::spooled_file&, const pipeline::job_request&)
          -> caf::result<pipeline::job_view> { return pipeline::job_view{}; },
      [=](atom::create, const pipeline::job_request&) -> caf::result<pipeline::job_view> {
        return pipeline::job_view{};
      },
      [](atom::examine, const pipeline::spooled_file&) { return pipeline::preflight_report{}; },
      [](atom::examine, const std::string&) { return pipeline::preflight_report{}; },
      [](atom::release, const actors::upload_id&) {},
      [](atom::tick) {},
  };
}

upload_closer_actor::behavior_type closer_stub(upload_closer_actor::pointer,
                                               std::shared_ptr<journal> j) {
  return {[=](const end_upload& x) {
    j->ended = x;
  }};
}

/// A part of a form; a file when it has a file name.
struct part {
  std::string name;
  std::string value;
  std::string filename = {};
};

std::string form(const std::vector<part>& parts) {
  auto result = std::string{};
  for (const auto& x : parts) {
    result += "--B\r\nContent-Disposition: form-data; name=\"" + x.name + "\"";
    if (!x.filename.empty())
      result += "; filename=\"" + x.filename + "\"";
    result += "\r\n\r\n" + x.value + "\r\n";
  }
  return result + "--B--\r\n";
}

const auto id = part{"avatar_id", "anna"};
const auto video = part{"video_file", "12345", "talk.mp4"};

} // namespace

class UploadSink : public tests::DeterministicSystem {
protected:
  UploadSink() {
    auto uploads = own(sys.spawn(upload_receiver_stub, j));
    context.uploads = [uploads] {
      return uploads;
    };
    context.closer = own(sys.spawn(closer_stub, j));
    context.store = {folder};
    context.max_upload_bytes = 1000;
    context.max_wait = std::chrono::seconds{60};
    std::filesystem::create_directories(folder / ".uploads");
    in.headers.add("Content-Type", "multipart/form-data; boundary=B");
  }

  ~UploadSink() override {
    context = {};
    j->ended.reset();
    std::filesystem::remove_all(folder);
  }

  static std::filesystem::path make_folder() {
    auto name = std::string{"/tmp/upload_sink_test.XXXXXX"};
    return ::mkdtemp(name.data());
  }

  /// Sends a body in pieces as the gate does. @returns the refusal, if there was one.
  std::optional<errc> send(const std::string& body, size_t piece = 7) {
    auto refusal = std::optional<errc>{};
    try {
      auto sink = upload_sink{make_exchange(in), context, avatar_form()};
      try {
        for (size_t i = 0; i < body.size(); i += piece) {
          auto bytes = std::string_view{body}.substr(i, piece);
          sink.write(std::as_bytes(std::span{bytes.data(), bytes.size()}));
        }
      } catch (const error& e) {
        sink.abort(e);
        throw;
      }
      sink.finish();
    } catch (const error& e) {
      refusal = e.code();
    }
    sched.run();
    return refusal;
  }

  bool nothing_left() const { return std::filesystem::is_empty(folder / ".uploads"); }

  std::filesystem::path folder = make_folder();
  std::shared_ptr<journal> j = std::make_shared<journal>();
  route_context context;
  request in;
};

TEST_F(UploadSink, HandsACompleteUploadOn) {
  EXPECT_EQ(send(form({id, {"tutor_id", "t1"}, {"apply_blur", "true"}, video})), std::nullopt);
  ASSERT_TRUE(j->ended);
  EXPECT_EQ(j->ended->request.avatar_id, "anna");
  EXPECT_EQ(j->ended->request.tutor_id, "t1");
  EXPECT_TRUE(j->ended->request.apply_blur);
  EXPECT_EQ(j->ended->request.video_name, "talk.mp4");
  EXPECT_EQ(j->ended->spool->finish().bytes, 5u);
  EXPECT_EQ(j->told, (std::vector<std::string>{"began"}));
}

TEST_F(UploadSink, TakesFieldsInAnyOrderAndPieces) {
  for (auto piece : {1, 3, 1000}) {
    j->ended.reset();
    EXPECT_EQ(send(form({video, {"apply_blur", "0"}, id}), piece), std::nullopt);
    ASSERT_TRUE(j->ended) << piece;
    EXPECT_EQ(j->ended->request.avatar_id, "anna");
    EXPECT_FALSE(j->ended->request.apply_blur);
  }
}

TEST_F(UploadSink, NeedsIdAndFile) {
  EXPECT_EQ(send(form({id})), errc::request_field_missing);
  EXPECT_EQ(send(form({video})), errc::request_field_missing);
  EXPECT_FALSE(j->ended);
  EXPECT_EQ(j->told, (std::vector<std::string>{"began", "gone"}));
  EXPECT_TRUE(nothing_left());
}

TEST_F(UploadSink, RefusesUnknownAndRepeatedFields) {
  EXPECT_EQ(send(form({id, {"colour", "red"}, video})), errc::request_field_unknown);
  EXPECT_EQ(send(form({id, id, video})), errc::request_field_duplicate);
  EXPECT_EQ(send(form({id, video, video})), errc::request_field_duplicate);
  EXPECT_TRUE(nothing_left());
}

TEST_F(UploadSink, RefusesValuesThatAreNone) {
  EXPECT_EQ(send(form({{"avatar_id", "../x"}, video})), errc::avatar_id_invalid);
  EXPECT_EQ(send(form({{"avatar_id", ""}, video})), errc::avatar_id_invalid);
  EXPECT_EQ(send(form({{"avatar_id", std::string(200, 'a')}, video})), errc::avatar_id_invalid);
  EXPECT_EQ(send(form({{"avatar_id", "\xC3\xBC"}, video})), errc::avatar_id_invalid);
  EXPECT_EQ(send(form({id, {"apply_blur", "maybe"}, video})), errc::request_field_invalid);
  EXPECT_EQ(send(form({id, {"tutor_id", std::string(129, 't')}, video})),
            errc::request_field_invalid);
  EXPECT_EQ(send(form({{"avatar_id", std::string(2000, 'a')}, video})),
            errc::request_field_invalid);
  EXPECT_TRUE(nothing_left());
}

TEST_F(UploadSink, RefusesTextAsFileAndFileAsText) {
  EXPECT_EQ(send(form({id, {"video_file", "12345"}})), errc::request_field_invalid);
  EXPECT_EQ(send(form({{"avatar_id", "anna", "x.txt"}, video})), errc::request_field_invalid);
}

TEST_F(UploadSink, RefusesMoreThanTheLimit) {
  EXPECT_EQ(send(form({id, {"video_file", std::string(1001, 'x'), "v.mp4"}})),
            errc::request_too_large);
  EXPECT_EQ(j->told, (std::vector<std::string>{"began", "gone"}));
  EXPECT_TRUE(nothing_left());
}

TEST_F(UploadSink, LeavesNothingWhenTheClientGoes) {
  auto body = form({id, {"video_file", std::string(500, 'x'), "v.mp4"}});
  auto sink = std::make_unique<upload_sink>(make_exchange(in), context, avatar_form());
  sink->write(std::as_bytes(std::span{body.data(), 300}));
  EXPECT_FALSE(nothing_left());
  sink->abort(error{errc::request_aborted, "gone"});
  EXPECT_TRUE(nothing_left());
  sink.reset();
  sched.run();
  EXPECT_EQ(j->told, (std::vector<std::string>{"began", "gone"}));
}

TEST_F(UploadSink, RefusesABodyThatEndsEarly) {
  auto body = form({id, video});
  EXPECT_EQ(send(body.substr(0, body.size() - 6)), errc::request_malformed);
  EXPECT_TRUE(nothing_left());
}

TEST_F(UploadSink, LooksAtTheHeadFirst) {
  in.query = {{"wait", "61"}};
  EXPECT_EQ(send(form({id, video})), errc::request_field_invalid);
  in.query = {{"colour", "red"}};
  EXPECT_EQ(send(form({id, video})), errc::request_field_unknown);
  in.query = {};
  in.headers.set("Content-Length", "9000000000000000000");
  EXPECT_EQ(send(form({id, video})), errc::storage_full);
  in.headers.set("Content-Type", "application/json");
  EXPECT_EQ(send(form({id, video})), errc::request_media_type);
  EXPECT_TRUE(j->told.empty());
}

} // namespace musetalk::http
