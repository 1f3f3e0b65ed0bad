#include <gtest/gtest.h>

#include "http/router.hpp"

namespace musetalk::http {
namespace {

void nothing(exchange_ptr) {}

router some_routes() {
  router out;
  out.add("GET", "/", {}, nothing);
  out.add("GET", "/mgmt/v1/avatars", {}, nothing);
  out.add("GET", "/mgmt/v1/avatars/:id", {}, nothing);
  out.add("DELETE", "/mgmt/v1/avatars/:id", {}, nothing);
  out.add("POST", "/mgmt/v1/avatars/create", {4096}, nothing);
  out.add("GET", "/mgmt/v1/avatars/:id/versions/:version", {}, nothing);
  out.add("GET", "/mgmt/v1/avatars/latest", {}, nothing);
  return out;
}

TEST(Router, FindsALiteralPath) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.found->pattern, "/mgmt/v1/avatars");
  EXPECT_TRUE(match.params.empty());
}

TEST(Router, FindsTheRoot) {
  auto match = some_routes().find("GET", "/");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.found->pattern, "/");
}

TEST(Router, TakesParametersOutOfThePath) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars/anna/versions/v000003");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.params.find("id")->second, "anna");
  EXPECT_EQ(match.params.find("version")->second, "v000003");
}

TEST(Router, LeavesParametersEncoded) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars/a%2Fb");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.params.find("id")->second, "a%2Fb");
}

TEST(Router, PrefersALiteralToAName) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars/latest");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.found->pattern, "/mgmt/v1/avatars/latest");
}

TEST(Router, LooksBehindALiteralThatLeadsNowhere) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars/latest/versions/v1");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.params.find("id")->second, "latest");
}

TEST(Router, TakesATrailingSlash) {
  EXPECT_TRUE(some_routes().find("GET", "/mgmt/v1/avatars/").found);
}

TEST(Router, AnswersHeadThroughGet) {
  EXPECT_TRUE(some_routes().find("HEAD", "/mgmt/v1/avatars").found);
  EXPECT_FALSE(some_routes().find("HEAD", "/mgmt/v1/avatars/create").found &&
               some_routes().find("HEAD", "/mgmt/v1/avatars/create").found->pattern ==
                   "/mgmt/v1/avatars/create");
}

TEST(Router, TellsWhichMethodsAPathTakes) {
  auto match = some_routes().find("PUT", "/mgmt/v1/avatars/anna");
  EXPECT_FALSE(match.found);
  EXPECT_EQ(match.allow, "GET, HEAD, DELETE, OPTIONS");
}

TEST(Router, KnowsNothingOfOtherPaths) {
  for (auto path :
       {"/nothing", "/mgmt", "/mgmt/v1/avatars/a/b", "/mgmt/v1/avatars/a/versions/b/c"}) {
    auto match = some_routes().find("GET", path);
    EXPECT_FALSE(match.found) << path;
    EXPECT_TRUE(match.allow.empty()) << path;
  }
}

TEST(Router, TakesTheCharactersOfPatternsAsText) {
  auto match = some_routes().find("GET", "/mgmt/v1/avatars/:id");
  ASSERT_TRUE(match.found);
  EXPECT_EQ(match.params.find("id")->second, ":id");
  EXPECT_FALSE(some_routes().find("GET", "/mgmt/v1/*").found);
}

TEST(Router, RefusesMalformedRoutes) {
  auto routes = some_routes();
  for (auto pattern : {"", "avatars", "/a//b", "/a/:", "/:/a", "/a/*", "/a/:b?", "/a%20b"})
    EXPECT_THROW(routes.add("GET", pattern, {}, nothing), error) << pattern;
  EXPECT_THROW(routes.add("OPTIONS", "/a", {}, nothing), error);
}

TEST(Router, RefusesARouteGivenTwice) {
  auto routes = some_routes();
  EXPECT_THROW(routes.add("GET", "/", {}, nothing), error);
  EXPECT_THROW(routes.add("GET", "/mgmt/v1/avatars", {}, nothing), error);
}

TEST(Router, RendersErrorsAsItIsTold) {
  router routes;
  routes.on_error([](const error& what, const request& in) -> response {
    return {418, {}, in.id + " " + std::string{to_string(what.code())}};
  });
  request in;
  in.id = "r1";
  auto answer = routes.render(error{errc::route_not_found, "x"}, in);
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "r1 route.not_found");
}

TEST(Router, SurvivesARendererThatThrows) {
  router routes;
  routes.on_error([](const error&, const request&) -> response { throw std::runtime_error("x"); });
  EXPECT_EQ(routes.render(error{errc::internal, "x"}, {}).status, 500);
}

} // namespace
} // namespace musetalk::http
