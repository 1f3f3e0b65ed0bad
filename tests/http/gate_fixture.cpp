#include "tests/http/gate_fixture.hpp"

#include <algorithm>
#include <thread>

namespace musetalk::http::test {

void gate_test::start(std::function<void(server_options&)> change) {
  routes_.add("GET", "/hello", {}, [](exchange_ptr x) { x->respond({200, {}, "hi"}); });
  routes_.add("POST", "/echo", {1024}, [](exchange_ptr x) { x->respond({200, {}, x->in().body}); });
  routes_.add("GET", "/item/:id", {}, [](exchange_ptr x) {
    auto& in = x->in();
    x->respond({200, {}, std::string{in.param("id")} + " " + std::string{in.query_value("q")}});
  });
  routes_.add("GET", "/big/:kib", {}, [](exchange_ptr x) {
    x->respond({200, {}, std::string(std::stoul(std::string{x->in().param("kib")}) * 1024, 'x')});
  });
  routes_.add("GET", "/later", {}, [this](exchange_ptr x) {
    x->on_close([this](bool delivered) { closes_.push(delivered); });
    parked_.push(std::move(x));
  });
  routes_.add("GET", "/throws", {}, [](exchange_ptr) { throw std::runtime_error("secret"); });
  routes_.add("GET", "/fails", {},
              [](exchange_ptr) { throw error(errc::request_malformed, "told so", "secret"); });
  routes_.add("GET", "/silent", {}, [](exchange_ptr) {});
  routes_.add("GET", "/stream", {}, [this](exchange_ptr x) {
    x->on_close([this](bool delivered) { closes_.push(delivered); });
    if (auto opened = x->start_stream({200, {{"Content-Type", "text/event-stream"}}, {}}))
      streams_.push(opened);
  });
  routes_.add("GET", "/file", {}, [this](exchange_ptr x) { x->respond_file({}, file_); });
  routes_.add_upload("POST", "/upload", {1ull << 30}, [this](exchange_ptr x) {
    return std::make_unique<recording_sink>(std::move(x), sink_);
  });
  server_options options;
  options.port = 0;
  options.on_access = [this](const access_record& x) {
    accesses_.push(x);
  };
  if (change)
    change(options);
  server_ = std::make_unique<http_server>(std::move(options), std::move(routes_));
  port_ = server_->listen();
}

void gate_test::await_connections(size_t count) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (server_->connections() != count && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  ASSERT_EQ(server_->connections(), count);
}

size_t open_files() {
  auto files = std::filesystem::directory_iterator{"/proc/self/fd"};
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

} // namespace musetalk::http::test
