// Times every network at full size: milliseconds per frame, achieved GFLOP/s against what a matrix
// product and a convolution reach in the same run, memory. Weights are made by hash, so no files
// are needed. JSON on stdout.
//
//   bench_models [--networks unet,vae_decode,...] [--batches 1,4,8,16] [--dtypes fp32,bf16,fp16]
//   [--device cpu]
//                [--threads N] [--seconds S]
//   bench_models --avatar ...   what the service runs, whole and pipelined: bench_avatar.cpp
//   bench_models --parity ...   a fast number format against fp32: bench_parity.cpp

#include "models/device.hpp"
#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/bisenet.hpp"
#include "models/networks/hash_fill.hpp"
#include "models/networks/rtmpose.hpp"
#include "models/networks/s3fd.hpp"
#include "models/networks/unet.hpp"
#include "models/networks/whisper.hpp"

#include "errors/error.hpp"
#include "tests/bench/bench_avatar.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace musetalk::models;

namespace {

using steady = std::chrono::steady_clock;

struct options {
  std::vector<std::string> networks = {"unet",    "vae_decode", "vae_encode", "whisper",
                                       "bisenet", "rtmpose",    "s3fd"};
  std::vector<std::string> batches = {"1", "4"};
  std::vector<std::string> dtypes = {"fp32", "bf16"};
  std::string device = "auto";
  int threads = 0;
  double seconds = 3;
};

std::vector<std::string> split(const std::string& text) {
  auto list = std::vector<std::string>{};
  auto in = std::istringstream{text};
  for (std::string part; std::getline(in, part, ',');)
    list.push_back(part);
  return list;
}

options parse(int argc, char** argv) {
  auto o = options{};
  auto known = std::map<std::string, std::function<void(const std::string&)>>{
      {"--networks",
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
      {"--threads",
       [&](const auto& x) {
         o.threads = std::stoi(x);
       }},
      {"--seconds", [&](const auto& x) {
         o.seconds = std::stod(x);
       }}};
  for (auto i = 1; i < argc; i += 2) {
    if (!known.count(argv[i]) || i + 1 >= argc) {
      std::fprintf(stderr, "unknown or incomplete argument %s\n", argv[i]);
      std::exit(2);
    }
    known.at(argv[i])(argv[i + 1]);
  }
  return o;
}

precision to_precision(const std::string& name) {
  for (auto x : {precision::float32, precision::bfloat16, precision::float16})
    if (to_string(x) == name)
      return x;
  std::fprintf(stderr, "unknown number format %s\n", name.c_str());
  std::exit(2);
}

double rss_mb() {
  auto usage = rusage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// Milliseconds of the quickest of at least three calls within the time; one call warms up.
double quickest_ms(double seconds, const std::function<at::Tensor()>& work) {
  // Reading one value waits for the device.
  auto run = [&] {
    work().flatten()[0].item<float>();
  };
  run();
  auto best = 1e300;
  auto end = steady::now() + std::chrono::duration<double>(seconds);
  for (auto i = 0; i < 3 || steady::now() < end; ++i) {
    auto start = steady::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::milli>(steady::now() - start).count());
  }
  return best;
}

struct peaks {
  double matmul = 0, convolution = 0; ///< GFLOP/s.
};

peaks measure_peaks(const placement& where, double seconds) {
  auto options = at::TensorOptions{}.device(where.device).dtype(at::kFloat);
  auto n = int64_t{2048};
  auto a = at::randn({n, n}, options).to(where.dtype),
       b = at::randn({n, n}, options).to(where.dtype);
  auto matmul_ms = quickest_ms(seconds, [&] { return at::matmul(a, b); });
  auto x = at::randn({1, 512, 64, 64}, options)
               .to(where.dtype)
               .contiguous(at::MemoryFormat::ChannelsLast);
  auto w = at::randn({512, 512, 3, 3}, options)
               .to(where.dtype)
               .contiguous(at::MemoryFormat::ChannelsLast);
  auto conv_ms = quickest_ms(seconds, [&] { return at::conv2d(x, w, {}, 1, 1); });
  auto cube = 2.0 * static_cast<double>(n * n * n);
  return {cube / matmul_ms * 1e-6, 2.0 * 512 * 512 * 9 * 64 * 64 / conv_ms * 1e-6};
}

/// One network, ready to be timed.
struct subject {
  std::function<at::Tensor(int64_t batch)> run;
  double gflop = 0; ///< Per frame; of Whisper per 30 s of sound, of S3FD per 720p frame.
  double load_ms = 0;
};

at::Tensor input(const placement& where, at::IntArrayRef shape) {
  auto options = at::TensorOptions{}.device(where.device).dtype(at::kFloat);
  auto x = at::randn(shape, options).to(where.dtype);
  return shape.size() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

template <class Network>
void fill(Network& network, const placement& where) {
  hash_fill(*network, 1, 1.0);
  place(*network, where);
}

subject make_network(const std::string& name, const placement& where) {
  auto x = subject{};
  auto start = steady::now();
  if (name == "unet") {
    auto network = UNet2DConditionModel{unet_config{}};
    fill(network, where);
    network->fold_time();
    x = {[=](int64_t n) mutable {
           return network->forward(input(where, {n, 8, 32, 32}), input(where, {n, 50, 384}));
         },
         177.8};
  } else if (name == "vae_decode" || name == "vae_encode") {
    auto network = AutoencoderKL{autoencoder_config{}};
    fill(network, where);
    if (name == "vae_decode")
      x = {[=](int64_t n) mutable { return network->decode(input(where, {n, 4, 32, 32})); }, 622.2};
    else // Masked and reference, as an avatar's frame needs.
      x = {[=](int64_t n) mutable {
             return network->encode(input(where, {2 * n, 3, 256, 256})).mean;
           },
           545.4};
  } else if (name == "whisper") {
    auto network = WhisperEncoder{whisper_config{}};
    fill(network, where);
    x = {[=](int64_t n) mutable { return network->forward(input(where, {n, 80, 3000})); }, 37.0};
  } else if (name == "bisenet") {
    auto network = BiSeNet{bisenet_config{}};
    fill(network, where);
    x = {[=](int64_t n) mutable { return network->forward(input(where, {n, 3, 512, 512})); }, 27.5};
  } else if (name == "rtmpose") {
    auto network = RTMPose{rtmpose_config{}};
    fill(network, where);
    x = {[=](int64_t n) mutable {
           return network->forward_with_flip(input(where, {n, 3, 384, 288})).x;
         },
         77.0};
  } else if (name == "s3fd") {
    auto network = S3FD{s3fd_config{}};
    fill(network, where);
    x = {[=](int64_t n) mutable {
           return network->forward(input(where, {n, 3, 720, 1280})).front().conf;
         },
         582.0};
  } else {
    std::fprintf(stderr, "unknown network %s\n", name.c_str());
    std::exit(2);
  }
  x.load_ms = std::chrono::duration<double, std::milli>(steady::now() - start).count();
  return x;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "--avatar")
    return bench::avatar_main(argc - 1, argv + 1);
  if (argc > 1 && std::string_view{argv[1]} == "--parity")
    return bench::parity_main(argc - 1, argv + 1);
  auto o = parse(argc, argv);
  c10::InferenceMode inference;
  auto separator = "";
  std::printf("{\"results\": [");
  for (const auto& dtype : o.dtypes) {
    auto wanted = load_options{};
    wanted.device = o.device;
    wanted.threads = o.threads;
    wanted.dtype = to_precision(dtype);
    try {
      auto device = open_device(wanted);
      auto peak = measure_peaks(device.where, o.seconds / 3);
      std::printf("%s\n  {\"peak\": true, \"device\": \"%s\", \"threads\": %d, \"dtype\": \"%s\", "
                  "\"matmul_gflops\": %.1f, \"conv_gflops\": %.1f}",
                  separator, device.where.device.str().c_str(), at::get_num_threads(),
                  dtype.c_str(), peak.matmul, peak.convolution);
      separator = ",";
      for (const auto& name : o.networks) {
        auto network = make_network(name, device.where);
        for (const auto& batch : o.batches) {
          auto n = std::stoll(batch);
          auto ms = quickest_ms(o.seconds, [&] { return network.run(n).to(at::kFloat); }) /
                    static_cast<double>(n);
          auto gflops = network.gflop / ms * 1e3;
          std::printf(",\n  {\"network\": \"%s\", \"dtype\": \"%s\", \"batch\": %lld, "
                      "\"ms_per_frame\": %.2f, \"gflops\": %.1f, \"of_conv_peak\": %.2f, "
                      "\"fill_ms\": %.0f, \"peak_rss_mb\": %.0f}",
                      name.c_str(), dtype.c_str(), n, ms, gflops, gflops / peak.convolution,
                      network.load_ms, rss_mb());
          std::fflush(stdout);
        }
      }
    } catch (const musetalk::error& e) {
      std::fprintf(stderr, "%s: %s\n", dtype.c_str(), e.what());
      return 1;
    }
  }
  std::printf("\n]}\n");
  return 0;
}
