// Times every network at full size: milliseconds per frame, achieved GFLOP/s against what a matrix
// product and a convolution reach in the same run, loading, memory. Weights are made by hash, so no
// files are needed. JSON on stdout. tests/bench/compare_models.py sets it beside Python's networks.
//
//   bench_models [--networks unet,vae_decode,...] [--batches 1,4,8,16] [--dtypes fp32,bf16,fp16]
//                [--device auto] [--threads N] [--seconds S]
//                [--calls N]           at least so many of each batch, whatever the seconds
//                [--longest S]         leaves batches out whose call would take longer
//                [--plain yes]         without the fast paths of the layers
//                [--checkpoint FILE]   the UNet from a file: time to load it, and memory for it
//   bench_models --avatar ...   what the service runs, whole and pipelined: bench_avatar.cpp
//   bench_models --parity ...   a fast number format against fp32: bench_parity.cpp

#include "errors/error.hpp"
#include "models/device.hpp"
#include "models/networks/onednn.hpp"
#include "tests/bench/arguments.hpp"
#include "tests/bench/bench_avatar.hpp"
#include "tests/bench/bench_networks.hpp"
#include "tests/bench/json_rows.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/InferenceMode.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace musetalk::models;
using namespace musetalk::models::bench;

namespace {

using steady = std::chrono::steady_clock;

struct options {
  std::vector<std::string> networks = subject_names();
  std::vector<std::string> batches = {"1", "4"};
  std::vector<std::string> dtypes = {"fp32", "bf16"};
  std::string device = "auto";
  std::string checkpoint;
  int threads = 0;
  double seconds = 3;
  double longest = 0;
  int calls = 3;
  bool plain = false;
};

options parse(int argc, char** argv) {
  auto o = options{};
  read_arguments(argc, argv,
                 {{"--networks",
                   [&](const auto& x) {
                     o.networks = split(x);
                   }},
                  {"--batches",
                   [&](const auto& x) {
                     o.batches = split(x);
                   }},
                  {"--dtypes",
                   [&](const auto& x) {
                     o.dtypes = split(x);
                   }},
                  {"--device",
                   [&](const auto& x) {
                     o.device = x;
                   }},
                  {"--checkpoint",
                   [&](const auto& x) {
                     o.checkpoint = x;
                   }},
                  {"--threads",
                   [&](const auto& x) {
                     o.threads = std::stoi(x);
                   }},
                  {"--seconds",
                   [&](const auto& x) {
                     o.seconds = std::stod(x);
                   }},
                  {"--longest",
                   [&](const auto& x) {
                     o.longest = std::stod(x);
                   }},
                  {"--calls",
                   [&](const auto& x) {
                     o.calls = std::stoi(x);
                   }},
                  {"--plain", [&](const auto& x) {
                     o.plain = x == "yes";
                   }}});
  return o;
}

// -- measuring -----------------------------------------------------------------

/// A line such as `VmHWM` of the kernel's account of this process, in MB.
double memory_mb(const std::string& key) {
  auto file = std::ifstream{"/proc/self/status"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":"))
      return std::stod(line.substr(key.size() + 1)) / 1024.0;
  return 0;
}

/// Most memory of the device's allocator that was in use since the start.
double device_mb(const at::Device& device) {
  if (device.is_cpu())
    return 0;
  auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return static_cast<double>(stats.reserved_bytes[0].peak) / 1048576.0;
}

double ms_since(steady::time_point start) {
  return std::chrono::duration<double, std::milli>(steady::now() - start).count();
}

/// Wall time, and time of all processors that this process took: on a machine with other work the
/// better measure.
struct duration {
  double wall_ms = 1e300, processor_ms = 1e300;
};

double processor_ms() {
  auto now = timespec{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// One call. Reading one value waits for the device.
duration once(const std::function<at::Tensor()>& work) {
  auto start = steady::now();
  auto processor_start = processor_ms();
  work().flatten()[0].item<float>();
  return {ms_since(start), processor_ms() - processor_start};
}

/// The least of the calls within the time, and of at least so many.
duration quickest(int calls, double seconds, const std::function<at::Tensor()>& work) {
  auto best = duration{};
  auto end = steady::now() + std::chrono::duration<double>(seconds);
  for (auto i = 0; i < calls || steady::now() < end; ++i) {
    auto call = once(work);
    best = {std::min(best.wall_ms, call.wall_ms), std::min(best.processor_ms, call.processor_ms)};
  }
  return best;
}

struct peaks {
  double matmul = 0, convolution = 0; ///< GFLOP/s.
};

peaks measure_peaks(const placement& where, double seconds) {
  auto make = [&](at::IntArrayRef shape) {
    return at::randn(shape, at::TensorOptions{}.device(where.device)).to(where.dtype);
  };
  auto n = int64_t{where.device.is_cpu() ? 2048 : 8192};
  auto a = make({n, n}), b = make({n, n});
  auto matmul_ms = quickest(3, seconds, [&] { return at::matmul(a, b); }).wall_ms;
  auto batch = int64_t{where.device.is_cpu() ? 1 : 16};
  auto last = at::MemoryFormat::ChannelsLast;
  auto x = make({batch, 512, 64, 64}).contiguous(last), w = make({512, 512, 3, 3}).contiguous(last);
  auto conv_ms = quickest(3, seconds, [&] { return at::conv2d(x, w, {}, 1, 1); }).wall_ms;
  auto cube = 2.0 * static_cast<double>(n * n * n);
  auto conv = 2.0 * 512 * 512 * 9 * 64 * 64 * static_cast<double>(batch);
  return {cube / matmul_ms * 1e-6, conv / conv_ms * 1e-6};
}

// -- printing ------------------------------------------------------------------

/// Mean magnitude of an output, to tell whether two programs computed the same.
double magnitude(const at::Tensor& x) {
  return x.to(at::kFloat).abs().mean().item<double>();
}

void time_batches(json_rows& out, const options& o, const opened_device& device,
                  const std::string& dtype, const std::string& name, const peaks& peak) {
  auto start = steady::now();
  auto processor_start = processor_ms();
  auto network = o.checkpoint.empty() ? make_subject(name, device.where)
                                      : load_unet(o.checkpoint, device.where);
  auto load = duration{ms_since(start), processor_ms() - processor_start};
  auto load_peak_mb = memory_mb("VmHWM");
  auto first_ms = 0.0, ms_per_frame = 0.0;
  for (const auto& batch : o.batches) {
    auto n = std::stoll(batch);
    auto frames = static_cast<double>(n);
    if (o.longest > 0 && frames * ms_per_frame > 1e3 * o.longest) {
      out.begin();
      out.text("network", name);
      out.text("dtype", dtype);
      out.number("batch", frames, 0);
      out.text("left_out", "a call would take longer than --longest");
      out.end();
      continue;
    }
    auto output = at::Tensor{};
    auto run = [&] {
      return output = network.run(n);
    };
    // Weights are brought into their order by the first of all.
    if (first_ms == 0)
      first_ms = once(run).wall_ms;
    auto time = quickest(o.calls, o.seconds, run);
    ms_per_frame = time.wall_ms / frames;
    auto gflops = network.gflop * frames / time.wall_ms * 1e3;
    out.begin();
    out.text("network", name);
    out.text("dtype", dtype);
    out.number("batch", frames, 0);
    out.number("ms_per_frame", ms_per_frame, 2);
    out.number("cpu_ms_per_frame", time.processor_ms / frames, 2);
    out.number("gflops", gflops, 1);
    out.number("of_matmul_peak", gflops / peak.matmul, 2);
    out.number("of_conv_peak", gflops / peak.convolution, 2);
    out.number("load_ms", load.wall_ms, 0);
    out.number("load_cpu_ms", load.processor_ms, 0);
    if (!o.checkpoint.empty()) {
      auto file_mb = static_cast<double>(std::filesystem::file_size(o.checkpoint)) / 1048576.0;
      out.number("file_mb", file_mb, 0);
      out.number("load_peak_rss_mb", load_peak_mb, 0);
      out.number("load_peak_of_file", load_peak_mb / file_mb, 2);
    }
    out.number("first_ms", first_ms, 0);
    out.number("rss_mb", memory_mb("VmRSS"), 0);
    out.number("peak_rss_mb", memory_mb("VmHWM"), 0);
    out.number("vram_mb", device_mb(device.where.device), 0);
    out.number("magnitude", magnitude(output), 5);
    out.end();
  }
}

void time_all(const options& o) {
  auto out = json_rows{};
  std::printf("{\"program\": \"bench_models%s\", \"results\": [", o.plain ? " (plain)" : "");
  for (const auto& dtype : o.dtypes) {
    auto wanted = load_options{};
    wanted.device = o.device;
    wanted.threads = o.threads;
    wanted.dtype =
        precision_of(dtype, {precision::float32, precision::bfloat16, precision::float16});
    auto device = open_device(wanted);
    auto peak = measure_peaks(device.where, o.seconds / 3);
    out.begin();
    out.text("peak", device.where.device.str());
    out.text("dtype", dtype);
    out.number("threads", at::get_num_threads(), 0);
    out.number("matmul_gflops", peak.matmul, 1);
    out.number("conv_gflops", peak.convolution, 1);
    out.end();
    for (const auto& name : o.networks)
      time_batches(out, o, device, dtype, name, peak);
  }
  std::printf("\n]}\n");
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "--avatar")
    return bench::avatar_main(argc - 1, argv + 1);
  if (argc > 1 && std::string_view{argv[1]} == "--parity")
    return bench::parity_main(argc - 1, argv + 1);
  auto o = parse(argc, argv);
  if (!o.checkpoint.empty())
    o.networks = {"unet"};
  c10::InferenceMode inference;
  auto plain = o.plain ? std::optional<plain_layers>{std::in_place} : std::nullopt;
  try {
    time_all(o);
  } catch (const musetalk::error& e) {
    refuse(e.detail());
  } catch (const std::exception& e) {
    refuse(e.what());
  }
  return 0;
}
