#include "tests/bench/bench_followers.hpp"

#include "http/event_feed.hpp"
#include "http/event_socket.hpp"
#include "http/server.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/http/socket_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace musetalk::bench {

namespace {

using namespace http;
namespace atom = actors::atom;

struct settings : caf::actor_system_config {
  settings() {
    add_message_types<caf::id_block::musetalk>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
  }
};

router routes_to(const event_feed_actor& feed) {
  auto result = router{};
  result.add("GET", "/mgmt/v1/events", {0}, [=](exchange_ptr x) {
    caf::anon_send(feed, follow_events{make_event_stream(std::move(x)), {}});
  });
  result.add("GET", "/mgmt/v1/ws", {0}, [=](const exchange_ptr& x) {
    x->upgrade({}, make_event_socket([=](auto client, const auto& query) {
                 caf::anon_send(feed, follow_events{std::move(client), query});
               }));
  });
  return result;
}

server_options options_for(size_t followers) {
  auto result = server_options{};
  result.port = 0;
  result.limits.max_sockets = followers;
  return result;
}

/// Opens a stream or a socket, and waits until it follows.
void begin(http::test::socket_client& x, follow_by how) {
  if (how == follow_by::stream) {
    x.send("GET /mgmt/v1/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
    if (x.read_until("data: {\"jobs\":[]}\n\n\r\n").empty())
      std::exit(1);
    return;
  }
  if (x.open("/mgmt/v1/ws").status != 101 || !x.say_text(R"({"subscribe":{}})") ||
      x.read_message().find("subscribed") == std::string::npos ||
      x.read_message().find("snapshot") == std::string::npos)
    std::exit(1);
}

std::string next(http::test::socket_client& x, follow_by how) {
  return how == follow_by::stream ? x.read_chunk().value_or("") : x.read_message();
}

} // namespace

size_t resident_bytes() {
  auto in = std::ifstream{"/proc/self/statm"};
  size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * 4096;
}

follower_figures measure_followers(size_t count, follow_by how) {
  auto config = settings{};
  auto system = caf::actor_system{config};
  auto notes = tests::registry_notes{};
  auto registry = system.spawn(tests::fake_registry, &notes);
  auto feed_config = event_feed_config{};
  feed_config.registry = registry;
  auto feed = system.spawn<caf::detached>(event_feed, feed_config);
  auto server = http_server{options_for(count), routes_to(feed)};
  auto port = server.listen();
  auto clients = std::vector<http::test::socket_client>{};
  clients.reserve(count);
  auto result = follower_figures{count};
  // One first, so that what every server needs once does not count.
  for (auto before = size_t{0}; clients.size() < count;) {
    clients.emplace_back(port);
    begin(clients.back(), how);
    if (clients.size() == 1)
      before = resident_bytes();
    if (clients.size() == count)
      result.grown_mb = (static_cast<double>(resident_bytes()) - static_cast<double>(before)) / 1e6;
  }
  // Each event reaches each client, in order: the last is the proof.
  constexpr auto events = 20;
  auto began = std::chrono::steady_clock::now();
  for (auto i = 1; i <= events; ++i) {
    auto event = pipeline::job_event{};
    event.sequence = i;
    caf::anon_send(feed, atom::event_v, event);
  }
  for (auto& x : clients)
    for (auto i = 1; i <= events; ++i)
      if (next(x, how).find("\"sequence\":" + std::to_string(i) + ",") == std::string::npos)
        std::exit(1);
  auto took = std::chrono::steady_clock::now() - began;
  result.event_ms = std::chrono::duration<double, std::milli>(took).count() / events;
  clients.clear();
  server.drain(std::chrono::seconds{5});
  auto self = caf::scoped_actor{system};
  for (const auto& x : {caf::actor_cast<caf::actor>(feed), caf::actor_cast<caf::actor>(registry)}) {
    self->monitor(x);
    self->send_exit(x, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  }
  return result;
}

} // namespace musetalk::bench
