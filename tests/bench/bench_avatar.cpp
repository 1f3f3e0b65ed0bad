#include "tests/bench/bench_avatar.hpp"

#include "errors/error.hpp"
#include "tests/bench/avatar_subjects.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace musetalk::models::bench {

namespace {

using steady = std::chrono::steady_clock;

double rss_mb() {
  auto usage = rusage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

struct rates {
  double per_second = 0;     ///< Frames, with two executions under way.
  double latency_ms = 1e300; ///< Of one execution alone, the quickest.
};

/// @param submit Begins an execution. @param collect Ends the oldest.
rates measure(double seconds, size_t batch, const std::function<void()>& submit,
              const std::function<void()>& collect) {
  auto result = rates{};
  for (auto i = 0; i < 3; ++i) {
    auto start = steady::now();
    submit();
    collect();
    result.latency_ms = std::min(result.latency_ms, seconds_since(start) * 1e3);
  }
  auto frames = size_t{0};
  auto start = steady::now();
  submit();
  do {
    submit();
    collect();
    frames += batch;
  } while (seconds_since(start) < seconds);
  collect();
  frames += batch;
  result.per_second = static_cast<double>(frames) / seconds_since(start);
  return result;
}

/// Text of LibTorch without what JSON would need to escape.
std::string in_json(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || c < ' '; }, ' ');
  return text;
}

auto separator = "\n"; ///< Before the next row.

template <class Half>
void show(const std::string& name, Half& half, size_t batch, double warm_up_ms, const rates& x) {
  auto report = half.report();
  auto graph = std::find(report.graph_batches.begin(), report.graph_batches.end(), batch) !=
               report.graph_batches.end();
  std::printf("%s  {\"half\": \"%s\", \"device\": \"%s\", \"name\": \"%s\", \"dtype\": \"%s\", "
              "\"batch\": %zu, \"graph\": %s, \"frames_per_s\": %.2f, \"latency_ms\": %.2f, "
              "\"load_ms\": %.0f, \"warm_up_ms\": %.0f, \"vram_used_mb\": %.0f, "
              "\"vram_total_mb\": %.0f, \"peak_rss_mb\": %.0f, \"note\": \"%s\"}",
              std::exchange(separator, ",\n"), name.c_str(), report.device.c_str(),
              report.device_name.c_str(), std::string{to_string(report.dtype)}.c_str(), batch,
              graph ? "true" : "false", x.per_second, x.latency_ms, report.load_ms, warm_up_ms,
              static_cast<double>(report.memory_used_bytes) / 1e6,
              static_cast<double>(report.memory_total_bytes) / 1e6, rss_mb(),
              in_json(report.note).c_str());
  std::fflush(stdout);
}

/// @param give Frames `first` to `first + batch` in the half's own form.
template <class Half, class Give>
void measure_half(const std::string& name, const avatar_options& o, Half& half, Give give) {
  auto start = steady::now();
  auto fitting = half.warm_up(*std::max_element(o.batches.begin(), o.batches.end()));
  auto warm_up_ms = seconds_since(start) * 1e3;
  for (auto batch : o.batches) {
    if (batch > fitting) {
      std::fprintf(stderr, "%s: batches of %zu do not fit: %s\n", name.c_str(), batch,
                   half.report().note.c_str());
      continue;
    }
    auto next = size_t{0};
    auto result = measure(
        o.seconds, batch,
        [&] {
          half.submit(give(next, batch));
          next += batch;
        },
        [&] { half.collect(); });
    show(name, half, batch, warm_up_ms, result);
  }
}

} // namespace

int avatar_main(int argc, char** argv) {
  auto o = parse_avatar_options(argc, argv);
  std::printf("[");
  try {
    for (auto dtype : o.dtypes) {
      auto device = open_for(o, dtype);
      auto timer = load_timer{};
      auto networks = load_networks(o, device.where);
      auto frames = avatar_frames{32, networks.unet->config().cross_attention_dim};
      for (const auto& name : o.halves) {
        if (name == "create") {
          auto half = make_latent_encoder(device, networks.vae, o.weights, timer);
          measure_half(name, o, *half, [&](size_t i, size_t n) { return frames.crops(i, n); });
        } else if (name == "speak") {
          auto half = make_face_generator(device, networks.unet, networks.vae, o.weights, timer);
          measure_half(name, o, *half, [&](size_t i, size_t n) { return frames.requests(i, n); });
        } else {
          std::fprintf(stderr, "unknown half %s: create or speak\n", name.c_str());
          return 2;
        }
      }
    }
  } catch (const error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  std::printf("\n]\n");
  return 0;
}

} // namespace musetalk::models::bench
