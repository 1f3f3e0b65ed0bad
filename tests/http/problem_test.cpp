#include "http/problem.hpp"

#include <gtest/gtest.h>

#include <set>

namespace musetalk::http {

namespace {

/// Every enumerator: the first number that has no name ends the list.
std::vector<errc> all_codes() {
  auto result = std::vector<errc>{errc::internal};
  for (int i = 2; to_string(static_cast<errc>(i)) != "internal"; ++i)
    result.push_back(static_cast<errc>(i));
  return result;
}

} // namespace

TEST(Problem, KnowsEveryCodeOnce) {
  auto codes = all_codes();
  EXPECT_GT(codes.size(), 40u);
  EXPECT_EQ(codes.back(), errc::version_busy) << "the last of the enum";
  for (auto code : codes) {
    auto rows = std::count_if(problem_table().begin(), problem_table().end(),
                              [&](const auto& x) { return x.code == code; });
    EXPECT_EQ(rows, 1) << to_string(code);
  }
  EXPECT_EQ(problem_table().size(), codes.size());
}

TEST(Problem, HasAStatusATitleAndAHintForEach) {
  for (const auto& x : problem_table()) {
    EXPECT_GE(x.status, 400) << to_string(x.code);
    EXPECT_LT(x.status, 600) << to_string(x.code);
    EXPECT_FALSE(reason_phrase(x.status).empty()) << x.status;
    EXPECT_FALSE(x.title.empty()) << to_string(x.code);
    EXPECT_TRUE(x.hint.ends_with('.')) << to_string(x.code);
  }
}

TEST(Problem, SaysWhenToTryAgainWhereThatHelps) {
  for (auto code : {errc::queue_full, errc::device_busy, errc::stopping})
    EXPECT_GT(problem_of(code).retry_after_s, 0) << to_string(code);
  EXPECT_EQ(problem_of(errc::queue_full).status, 429);
  EXPECT_EQ(problem_of(errc::video_too_long).retry_after_s, 0);
}

TEST(Problem, IsAnObjectOfRfc9457) {
  auto in = request{};
  in.id = "r1";
  auto answer =
      render_problem(error{errc::queue_full, "16 jobs wait; the limit is 16.", "secret"}, in);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.headers.get("Retry-After"), "30");
  auto body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body.at("type"), "urn:musetalkd:problem:queue.full");
  EXPECT_EQ(body.at("title"), "Queue full");
  EXPECT_EQ(body.at("status"), 429);
  EXPECT_EQ(body.at("detail"), "16 jobs wait; the limit is 16.");
  EXPECT_EQ(body.at("code"), "queue.full");
  EXPECT_EQ(body.at("request_id"), "r1");
  EXPECT_FALSE(body.at("hint").get<std::string>().empty());
  EXPECT_EQ(body.size(), 7u);
}

TEST(Problem, KeepsTheCauseToItself) {
  auto answer = render_problem(error{errc::internal, "", "c10::Error at /home/x"}, request{});
  EXPECT_EQ(answer.body.find("c10"), std::string::npos);
  EXPECT_EQ(answer.body.find("/home"), std::string::npos);
}

} // namespace musetalk::http
