// Measures the gate over loopback: requests, latency, an upload with and without what a real one
// does with its bytes, the multipart parser alone, and clients that follow events. Prints one JSON
// object.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include <openssl/evp.h>

#include "http/gate/unique_fd.hpp"
#include "http/multipart.hpp"
#include "http/server.hpp"
#include "tests/bench/bench_followers.hpp"
#include "tests/http/raw_client.hpp"

namespace {

using namespace musetalk::http;
using musetalk::bench::resident_bytes;
using clock_type = std::chrono::steady_clock;

constexpr size_t upload_bytes = 300 << 20;
constexpr std::string_view part_begin =
    "--bench\r\nContent-Disposition: form-data; name=\"video_file\"; filename=\"a.mp4\"\r\n\r\n";
constexpr std::string_view part_end = "\r\n--bench--\r\n";

double seconds_since(clock_type::time_point began) {
  return std::chrono::duration<double>(clock_type::now() - began).count();
}

std::string noise(size_t size) {
  std::mt19937_64 random{1};
  std::string out(size, '\0');
  std::ranges::generate(out, [&] { return static_cast<char>(random()); });
  return out;
}

/// Takes multipart apart; with a file, also hashes and writes.
class bench_sink final : public body_sink {
public:
  bench_sink(exchange_ptr x, const std::filesystem::path& file)
      : exchange_(std::move(x)),
        parser_("bench", {},
                {[](const part_head&) {}, [this](std::span<const std::byte> data) { take(data); },
                 [] {
                 }}) {
    if (!file.empty())
      fd_.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
  }
  void write(std::span<const std::byte> bytes) override { parser_.push(bytes); }
  void finish() override {
    parser_.finish();
    exchange_->respond({200, {}, std::to_string(taken_)});
  }
  void abort(const musetalk::error&) noexcept override {}

private:
  void take(std::span<const std::byte> data) {
    taken_ += data.size();
    if (!fd_)
      return;
    EVP_DigestUpdate(hash_.get(), data.data(), data.size());
    if (::write(fd_.get(), data.data(), data.size()) != static_cast<ssize_t>(data.size()))
      throw musetalk::error(musetalk::errc::storage_failed, "The bench cannot write.");
  }
  exchange_ptr exchange_;
  multipart_parser parser_;
  gate::unique_fd fd_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  size_t taken_ = 0;
};

double multipart_bytes_per_s(const std::string& data) {
  auto taken = size_t{0};
  multipart_parser parser{"bench",
                          {},
                          {[](const part_head&) {}, [&](auto x) { taken += x.size(); },
                           [] {
                           }}};
  parser.push(std::as_bytes(std::span{part_begin}));
  auto began = clock_type::now();
  for (auto round = 0; round < 64; ++round)
    for (size_t at = 0; at < data.size(); at += 128 * 1024)
      parser.push(
          std::as_bytes(std::span{data}.subspan(at, std::min(data.size() - at, 128ul * 1024))));
  auto took = seconds_since(began);
  parser.push(std::as_bytes(std::span{part_end}));
  parser.finish();
  return static_cast<double>(taken) / took;
}

struct upload_result {
  double bytes_per_s = 0;
  size_t grown_bytes = 0;
};

upload_result upload(uint16_t port, std::string_view path, const std::string& data) {
  test::raw_client c{port};
  c.send("POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
         std::to_string(part_begin.size() + upload_bytes + part_end.size()) + "\r\n\r\n");
  auto before = resident_bytes();
  auto most = before;
  auto began = clock_type::now();
  c.send(part_begin);
  for (size_t sent = 0; sent < upload_bytes; sent += data.size()) {
    c.send(data);
    most = std::max(most, resident_bytes());
  }
  c.send(part_end);
  if (c.read_answer().body != std::to_string(upload_bytes))
    std::exit(1);
  return {upload_bytes / seconds_since(began), most - before};
}

/// Milliseconds of each of many requests one after another.
std::vector<double> latencies_ms(uint16_t port, size_t count) {
  std::vector<double> out;
  test::raw_client c{port};
  while (out.size() < count) {
    auto began = clock_type::now();
    c.get("/hello");
    out.push_back(seconds_since(began) * 1000);
  }
  std::ranges::sort(out);
  return out;
}

/// Requests of many connections, each with several in flight.
double requests_per_s(uint16_t port) {
  constexpr auto connections = 50, rounds = 200, in_flight = 8;
  std::vector<test::raw_client> clients;
  for (auto i = 0; i < connections; ++i)
    clients.emplace_back(port);
  std::string burst;
  for (auto i = 0; i < in_flight; ++i)
    burst += "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  auto began = clock_type::now();
  for (auto round = 0; round < rounds; ++round) {
    for (auto& c : clients)
      c.send(burst);
    for (auto& c : clients)
      for (auto i = 0; i < in_flight; ++i)
        if (c.read_answer().status != 200)
          std::exit(1);
  }
  return connections * rounds * in_flight / seconds_since(began);
}

} // namespace

int main() {
  // First: memory that others gave back would hide what it takes.
  using musetalk::bench::follow_by;
  auto sockets = musetalk::bench::measure_followers(1'000, follow_by::socket);
  auto follow = musetalk::bench::measure_followers(1'000, follow_by::stream);
  auto spool =
      std::filesystem::temp_directory_path() / ("bench_http_" + std::to_string(::getpid()));
  router routes;
  routes.add("GET", "/hello", {}, [](exchange_ptr x) { x->respond({200, {}, "hi"}); });
  routes.add_upload("POST", "/count", {1ull << 30}, [](exchange_ptr x) {
    return std::make_unique<bench_sink>(std::move(x), std::filesystem::path{});
  });
  routes.add_upload("POST", "/spool", {1ull << 30}, [&](exchange_ptr x) {
    return std::make_unique<bench_sink>(std::move(x), spool);
  });
  server_options options;
  options.port = 0;
  http_server server{options, std::move(routes)};
  auto port = server.listen();
  auto data = noise(4 << 20);
  auto latency = latencies_ms(port, 20'000);
  auto rate = requests_per_s(port);
  auto counted = upload(port, "/count", data);
  auto spooled = upload(port, "/spool", data);
  std::filesystem::remove(spool);
  std::printf("{\"get_p50_ms\": %.3f, \"get_p99_ms\": %.3f, \"get_per_s\": %.0f, "
              "\"upload_MB_per_s\": %.0f, \"upload_grown_MB\": %.1f, "
              "\"upload_spooled_hashed_MB_per_s\": %.0f, \"upload_spooled_hashed_grown_MB\": %.1f, "
              "\"multipart_GB_per_s\": %.2f, \"followers\": %zu, \"followers_grown_MB\": %.1f, "
              "\"followers_event_ms\": %.1f, \"sockets\": %zu, "
              "\"sockets_grown_MB\": %.1f, \"sockets_event_ms\": %.1f}\n",
              latency[latency.size() / 2], latency[latency.size() * 99 / 100], rate,
              counted.bytes_per_s / 1e6, static_cast<double>(counted.grown_bytes) / 1e6,
              spooled.bytes_per_s / 1e6, static_cast<double>(spooled.grown_bytes) / 1e6,
              multipart_bytes_per_s(data) / 1e9, follow.followers, follow.grown_mb, follow.event_ms,
              sockets.followers, sockets.grown_mb, sockets.event_ms);
}
