#include "tests/bench/bench_avatar.hpp"

#include "errors/error.hpp"
#include "tests/bench/avatar_subjects.hpp"
#include "tests/bench/json_rows.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>

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

template <class Half>
void show(json_rows& out, const std::string& name, Half& half, size_t batch, double warm_up_ms,
          const rates& x) {
  auto report = half.report();
  auto graph = std::find(report.graph_batches.begin(), report.graph_batches.end(), batch) !=
               report.graph_batches.end();
  out.begin();
  out.text("half", name);
  out.text("device", report.device);
  out.text("name", report.device_name);
  out.text("dtype", std::string{to_string(report.dtype)});
  out.number("batch", static_cast<double>(batch), 0);
  out.flag("graph", graph);
  out.number("frames_per_s", x.per_second, 2);
  out.number("latency_ms", x.latency_ms, 2);
  out.number("load_ms", report.load_ms, 0);
  out.number("warm_up_ms", warm_up_ms, 0);
  out.number("vram_used_mb", static_cast<double>(report.memory_used_bytes) / 1e6, 0);
  out.number("vram_total_mb", static_cast<double>(report.memory_total_bytes) / 1e6, 0);
  out.number("peak_rss_mb", rss_mb(), 0);
  out.text("note", report.note);
  out.end();
}

/// @param give Frames `first` to `first + batch` in the half's own form.
template <class Half, class Give>
void measure_half(json_rows& out, const std::string& name, const avatar_options& o, Half& half,
                  Give give) {
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
    show(out, name, half, batch, warm_up_ms, result);
  }
}

} // namespace

int avatar_main(int argc, char** argv) {
  auto o = parse_avatar_options(argc, argv);
  auto out = json_rows{};
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
          measure_half(out, name, o, *half, [&](size_t i, size_t n) { return frames.crops(i, n); });
        } else if (name == "speak") {
          auto half = make_face_generator(device, networks.unet, networks.vae, o.weights, timer);
          measure_half(out, name, o, *half,
                       [&](size_t i, size_t n) { return frames.requests(i, n); });
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
