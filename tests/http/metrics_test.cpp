#include "http/actor_json.hpp"
#include "http/console_files.hpp"
#include "http/metrics.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::http;
using testing::HasSubstr;
using testing::Not;

namespace {

access_record answered(const std::string& pattern, int status, std::chrono::microseconds took) {
  auto result = access_record{};
  result.method = "GET";
  result.pattern = pattern;
  result.path = "/secret/path";
  result.status = status;
  result.took = took;
  return result;
}

} // namespace

TEST(Metrics, CountRequestsByRouteAndStatus) {
  auto figures = request_figures{};
  figures.note(answered("/mgmt/v1/jobs/:id", 200, std::chrono::milliseconds{3}));
  figures.note(answered("/mgmt/v1/jobs/:id", 404, std::chrono::milliseconds{30}));
  figures.note(answered("", 404, std::chrono::milliseconds{1}));
  auto input = metrics_input{};
  input.requests = figures.read();
  auto text = metrics_text(input);
  EXPECT_THAT(text, HasSubstr("musetalkd_http_requests_total{route=\"/mgmt/v1/jobs/:id\","
                              "method=\"GET\",status=\"404\"} 1"));
  EXPECT_THAT(text, HasSubstr("musetalkd_http_request_duration_seconds_bucket{route="
                              "\"/mgmt/v1/jobs/:id\",method=\"GET\",le=\"0.005\"} 1"));
  EXPECT_THAT(text, HasSubstr("route=\"none\""));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(Metrics, MakeNoLabelsOfWhatClientsInvent) {
  auto figures = request_figures{};
  auto x = answered("", 405, std::chrono::milliseconds{1});
  x.method = "BREW\" evil=\"";
  figures.note(x);
  auto input = metrics_input{};
  input.requests = figures.read();
  EXPECT_THAT(metrics_text(input), HasSubstr("method=\"other\""));
}

TEST(Metrics, StayWhenTheRegistryDoesNotAnswer) {
  auto text = metrics_text({});
  EXPECT_THAT(text, HasSubstr("musetalkd_registry_up 0"));
  EXPECT_THAT(text, Not(HasSubstr("musetalkd_jobs{")));
  auto input = metrics_input{};
  input.queue = actors::queue_status{};
  input.queue->queued = 3;
  EXPECT_THAT(metrics_text(input), HasSubstr("musetalkd_jobs{state=\"queued\"} 3"));
}

TEST(Metrics, TellOfThisProcess) {
  auto x = read_process_figures();
  EXPECT_GT(x.resident_bytes, 1'000'000u);
  EXPECT_GT(x.virtual_bytes, x.resident_bytes);
  EXPECT_GE(x.threads, 1u);
  EXPECT_GE(x.open_files, 3u);
  EXPECT_GE(x.max_files, x.open_files);
  EXPECT_GT(x.start_time_s, 1.6e9);
}

TEST(ActorJson, CallsAnActorStuckThatPassedALimit) {
  auto x = actors::observed_actor{};
  x.reading.started = true;
  x.reading.current_us = 61'000'000;
  x.reading.current_type = "pull";
  EXPECT_EQ(to_json(x)["state"], "working");
  x.over[static_cast<size_t>(actors::watch_kind::handler)] = true;
  auto json = to_json(x);
  EXPECT_EQ(json["state"], "stuck");
  EXPECT_EQ(json["current"]["ms"], 61'000);
  EXPECT_EQ(json["over"][0], "handler");
}

TEST(ConsoleFiles, AreInTheProgram) {
  auto page = find_console_file("index.html");
  ASSERT_TRUE(page);
  EXPECT_THAT(std::string{page->text}, HasSubstr("/console/app.js"));
  EXPECT_EQ(page->type, "text/html; charset=utf-8");
  EXPECT_FALSE(find_console_file("../index.html"));
  // The page's own policy forbids what is not in a file.
  EXPECT_THAT(std::string{page->text}, Not(HasSubstr("style=")));
  EXPECT_THAT(std::string{page->text}, Not(HasSubstr("onload=")));
}
