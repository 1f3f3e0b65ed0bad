#include "http/fields.hpp"

#include "errors/error.hpp"
#include "http/create_request.hpp"
#include "http/plain_text.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace musetalk::http {

namespace {

using namespace std::chrono_literals;

request with_query(std::initializer_list<std::pair<const std::string, std::string>> pairs) {
  auto x = request{};
  x.query = query_map(pairs);
  return x;
}

request with_json(std::string body, std::string type = "application/json; charset=utf-8") {
  auto x = request{};
  x.headers.add("Content-Type", std::move(type));
  x.body = std::move(body);
  return x;
}

/// The code of what `f` throws; nothing when it throws nothing.
std::optional<errc> code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const error& e) {
    EXPECT_FALSE(e.detail().empty());
    return e.code();
  }
  return std::nullopt;
}

std::optional<errc> create_refusal(std::string body) {
  return code_of([&] { create_request_of(with_json(std::move(body))); });
}

} // namespace

TEST(Fields, TakesYesAndNoInFourForms) {
  for (auto yes : {"true", "True", "1"})
    EXPECT_TRUE(yes_no_field("apply_blur", yes));
  for (auto no : {"false", "FALSE", "0"})
    EXPECT_FALSE(yes_no_field("apply_blur", no));
  for (auto bad : {"", "yes", "2", "true ", "on"})
    EXPECT_EQ(code_of([&] { yes_no_field("apply_blur", bad); }), errc::request_field_invalid)
        << bad;
}

TEST(Fields, BoundsTutorIds) {
  EXPECT_EQ(tutor_id_field("42"), "42");
  EXPECT_EQ(tutor_id_field("Frau M\xC3\xBCller"), "Frau M\xC3\xBCller");
  EXPECT_EQ(tutor_id_field(""), "");
  EXPECT_EQ(tutor_id_field(std::string(128, 'x')).size(), 128u);
  for (const auto& bad :
       {std::string(129, 'x'), std::string{"a\nb"}, std::string{"a\0b", 3}, std::string{"\xff"},
        std::string{"\xC0\xAF"}, std::string{"\xED\xA0\x80"}})
    EXPECT_EQ(code_of([&] { tutor_id_field(bad); }), errc::request_field_invalid);
}

TEST(Fields, ShowsFileNamesOfHostileClientsSafely) {
  EXPECT_EQ(display_name("talk.mp4"), "talk.mp4");
  EXPECT_EQ(display_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(display_name("C:\\videos\\me.mp4"), "me.mp4");
  EXPECT_EQ(display_name("a\r\nb\xff.mp4"), "a__b_.mp4");
  EXPECT_LE(display_name(std::string(5000, 'x')).size(), 255u);
}

TEST(Fields, RefusesUnknownAndRepeatedQueryKeys) {
  EXPECT_EQ(code_of([] {
              require_known_query(with_query({{"limit", "1"}}), {"limit"});
            }),
            std::nullopt);
  EXPECT_EQ(code_of([] {
              require_known_query(with_query({{"limits", "1"}}), {"limit"});
            }),
            errc::request_field_unknown);
  EXPECT_EQ(code_of([] {
              require_known_query(with_query({{"limit", "1"}, {"limit", "2"}}), {"limit"});
            }),
            errc::request_field_duplicate);
}

TEST(Fields, ReadsPages) {
  EXPECT_EQ(page_of(request{}).limit, 100u);
  auto page = page_of(with_query({{"limit", "7"}, {"cursor", "c"}}));
  EXPECT_EQ(page.limit, 7u);
  EXPECT_EQ(page.cursor, "c");
  for (auto bad : {"0", "1001", "-1", "x", "", "1.5", "99999999999999999999"})
    EXPECT_EQ(code_of([&] {
                page_of(with_query({{"limit", bad}}));
              }),
              errc::request_field_invalid)
        << bad;
}

TEST(Fields, ReadsTheWishToWait) {
  EXPECT_EQ(wait_of(request{}, 60s), std::nullopt);
  EXPECT_EQ(wait_of(with_query({{"wait", "5"}}), 60s), 5s);
  EXPECT_EQ(wait_of(with_query({{"wait", "0"}}), 60s), std::nullopt);
  EXPECT_EQ(code_of([] {
              wait_of(with_query({{"wait", "61"}}), 60s);
            }),
            errc::request_field_invalid);
  EXPECT_EQ(code_of([] {
              wait_of(with_query({{"wait", "soon"}}), 60s);
            }),
            errc::request_field_invalid);
}

TEST(Fields, TakesAPreferenceAsAWish) {
  auto prefers = [](const std::string& value) {
    auto x = request{};
    x.headers.add("Prefer", value);
    return wait_of(x, 60s);
  };
  EXPECT_EQ(prefers("wait=5"), 5s);
  EXPECT_EQ(prefers("respond-async, Wait=5; x"), 5s);
  EXPECT_EQ(prefers("wait=1000"), 60s);
  EXPECT_EQ(prefers("wait=soon"), std::nullopt);
  EXPECT_EQ(prefers("return=minimal"), std::nullopt);
}

TEST(CreateRequest, TakesTheDocumentedObject) {
  auto x = create_request_of(with_json(
      R"({"avatar_id":"anna","video_path":"/videos/a.mp4","apply_blur":true,"tutor_id":"t1"})"));
  EXPECT_EQ(x.avatar_id, "anna");
  EXPECT_EQ(x.video_path, "/videos/a.mp4");
  EXPECT_EQ(x.video_name, "a.mp4");
  EXPECT_TRUE(x.apply_blur);
  EXPECT_EQ(x.tutor_id, "t1");
}

TEST(CreateRequest, NeedsOnlyIdAndPath) {
  auto x = create_request_of(with_json(R"({"video_path":"a.mp4","avatar_id":"anna"})"));
  EXPECT_FALSE(x.apply_blur);
  EXPECT_EQ(x.tutor_id, "");
  EXPECT_EQ(create_refusal(R"({"avatar_id":"anna"})"), errc::request_field_missing);
  EXPECT_EQ(create_refusal(R"({"video_path":"a.mp4"})"), errc::request_field_missing);
}

TEST(CreateRequest, TakesATutorAsNumber) {
  auto x =
      create_request_of(with_json(R"({"video_path":"a.mp4","avatar_id":"anna","tutor_id":42})"));
  EXPECT_EQ(x.tutor_id, "42");
}

TEST(CreateRequest, RefusesOtherTypes) {
  for (auto body :
       {R"({"avatar_id":1,"video_path":"a"})", R"({"avatar_id":"a","video_path":["a"]})",
        R"({"avatar_id":"a","video_path":null})",
        R"({"avatar_id":"a","video_path":"b","apply_blur":"true"})",
        R"({"avatar_id":"a","video_path":"b","apply_blur":1})",
        R"({"avatar_id":"a","video_path":"b","tutor_id":1.5})",
        R"({"avatar_id":"a","video_path":"b","tutor_id":{}})",
        R"({"avatar_id":"a","video_path":""})", R"({"avatar_id":"a","video_path":"b\u0000c"})"})
    EXPECT_EQ(create_refusal(body), errc::request_field_invalid) << body;
}

TEST(CreateRequest, RefusesIdsThatAreNone) {
  for (const auto& id : {std::string{"../x"}, std::string{}, std::string(200, 'a'),
                         std::string{"\\u00fc"}, std::string{"a b"}, std::string{"-a"}})
    EXPECT_EQ(create_refusal(R"({"avatar_id":")" + id + R"(","video_path":"b"})"),
              errc::avatar_id_invalid)
        << id;
}

TEST(CreateRequest, RefusesUnknownAndRepeatedMembers) {
  EXPECT_EQ(create_refusal(R"({"avatar_id":"a","video_path":"b","colour":"red"})"),
            errc::request_field_unknown);
  EXPECT_EQ(create_refusal(R"({"avatar_id":"a","avatar_id":"c","video_path":"b"})"),
            errc::request_field_duplicate);
}

TEST(CreateRequest, RefusesWhatIsNoJsonObject) {
  for (auto body : {"", "{", "[]", "\"x\"", "1", "null", "{}x", "{'a':1}", "\xff"})
    EXPECT_EQ(create_refusal(body), errc::request_malformed) << body;
  EXPECT_EQ(create_refusal(std::string(30'000, '[')), errc::request_malformed);
  EXPECT_EQ(create_refusal(R"({"a":)" + std::string(30'000, '[')), errc::request_malformed);
}

TEST(CreateRequest, RefusesOtherMediaTypes) {
  for (auto type : {"", "text/plain", "application/jsonx", "multipart/form-data"})
    EXPECT_EQ(code_of([&] { create_request_of(with_json("{}", type)); }), errc::request_media_type)
        << type;
}

} // namespace musetalk::http
