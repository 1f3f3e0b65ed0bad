#include "tests/http/gate_fixture.hpp"

namespace musetalk::http::test {
namespace {

using GateBasics = gate_test;

TEST_F(GateBasics, AnswersAGet) {
  start();
  auto answer = client().get("/hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(answer.field("Content-Length"), "2");
  EXPECT_EQ(answer.field("Date").size(), 29u);
  EXPECT_FALSE(answer.field("X-Request-Id").empty());
}

TEST_F(GateBasics, KeepsAConnectionForManyRequests) {
  start();
  auto c = client();
  for (auto i = 0; i < 100; ++i)
    ASSERT_EQ(c.get("/hello").body, "hi");
  EXPECT_EQ(server_->connections(), 1u);
}

} // namespace
} // namespace musetalk::http::test
