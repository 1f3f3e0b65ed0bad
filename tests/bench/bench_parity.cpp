#include "tests/bench/bench_avatar.hpp"

#include "errors/error.hpp"
#include "tests/bench/avatar_subjects.hpp"
#include "tests/bench/json_rows.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <cstring>

namespace musetalk::models::bench {

namespace {

/// How far values may be off. Of latents: as a share of the standard deviation of what is expected;
/// of pictures: in levels of 8 bits.
struct bounds {
  double latent_max, latent_mean, level_max, level_mean;
};

/// fp16 keeps 11 bits of a value and bf16 8: the same rounding errors, eight times as large.
bounds bounds_of(precision x) {
  if (x == precision::bfloat16)
    return {0.4, 0.04, 48, 2.0};
  return {0.05, 0.005, 6, 0.25};
}

struct difference {
  double max = 0, mean = 0;
};

difference between(const at::Tensor& got, const at::Tensor& expected) {
  auto off = (got.to(at::kDouble) - expected.to(at::kDouble)).abs();
  return {off.max().item<double>(), off.mean().item<double>()};
}

/// Rows of one size as `[count, size]`.
template <class Row, class Bytes>
at::Tensor stacked(const std::vector<Row>& rows, at::ScalarType type, Bytes bytes_of) {
  auto list = std::vector<at::Tensor>{};
  for (const auto& x : rows) {
    const auto& values = bytes_of(x);
    auto t = at::empty({static_cast<int64_t>(values.size())}, type);
    std::memcpy(t.mutable_data_ptr(), values.data(), values.size() * sizeof values[0]);
    list.push_back(t);
  }
  return at::stack(list);
}

at::Tensor values(const std::vector<latent>& latents) {
  return stacked(
      latents, at::kHalf, [](const latent& x) -> const auto& { return x.half_bits; });
}

at::Tensor values(const std::vector<spoken_face>& faces) {
  return stacked(
      faces, at::kByte, [](const spoken_face& x) -> const auto& { return x; });
}

/// What the UNet alone makes of the first frames, as fp32 on the CPU.
at::Tensor predicted(const avatar_networks& networks, const opened_device& device,
                     const avatar_frames& frames, size_t count) {
  auto result = at::Tensor{};
  on_device(device, [&] {
    c10::InferenceMode inference;
    auto samples = std::vector<at::Tensor>{}, tokens = std::vector<at::Tensor>{};
    auto channels = networks.unet->config().cross_attention_dim;
    for (size_t i = 0; i < count; ++i) {
      auto sample = at::empty({8, face_side / 8, face_side / 8}, at::kHalf);
      std::memcpy(sample.mutable_data_ptr(), frames.latents[i].data(),
                  frames.latents[i].size() * sizeof(uint16_t));
      samples.push_back(sample);
      auto audio = at::empty({avatar_frames::tokens, channels}, at::kFloat);
      std::memcpy(audio.mutable_data_ptr(), frames.audio[i].data(),
                  frames.audio[i].size() * sizeof(float));
      tokens.push_back(audio + token_positions(avatar_frames::tokens, channels));
    }
    const auto& where = device.where;
    auto unet = networks.unet;
    result = unet->forward(at::stack(samples)
                               .to(where.device, where.dtype)
                               .contiguous(at::MemoryFormat::ChannelsLast),
                           at::stack(tokens).to(where.device, where.dtype))
                 .to(at::kCPU, at::kFloat);
  });
  return result;
}

/// Prints a row. @returns Whether the difference is within its bounds.
bool show(json_rows& out, const char* what, precision dtype, size_t batch, const difference& off,
          double max, double mean) {
  auto within = off.max <= max && off.mean <= mean; // False for NaN.
  out.begin();
  out.text("parity", what);
  out.text("dtype", std::string{to_string(dtype)});
  out.number("batch", static_cast<double>(batch), 0);
  out.number("max", off.max, 6);
  out.number("max_bound", max, 6);
  out.number("mean", off.mean, 6);
  out.number("mean_bound", mean, 6);
  out.flag("within", within);
  out.end();
  return within;
}

/// fp32 on the same device, without graphs: the reference.
opened_device plain(const avatar_options& o) {
  auto device = open_for(o, precision::float32);
  device.gpu = nullptr;
  return device;
}

precision fast(const avatar_options& o, precision wanted) {
  if (wanted != precision::automatic)
    return wanted;
  return open_for(o, precision::float32).gpu ? precision::float16 : precision::bfloat16;
}

bool compare(json_rows& out, const avatar_options& o, precision dtype) {
  auto count = size_t{1};
  for (auto n : o.batches)
    count = std::max(count, n);
  auto reference_device = plain(o), device = open_for(o, dtype);
  auto reference = load_networks(o, reference_device.where);
  auto networks = load_networks(o, device.where);
  auto frames = avatar_frames{count, networks.unet->config().cross_attention_dim};
  auto limit = bounds_of(dtype);
  auto good = true;
  auto check_latents = [&](const char* what, size_t batch, const at::Tensor& got,
                           const at::Tensor& expected) {
    auto spread = expected.to(at::kDouble).std().item<double>();
    good &= show(out, what, dtype, batch, between(got, expected), limit.latent_max * spread,
                 limit.latent_mean * spread);
  };
  for (const auto& half : o.halves) {
    if (half == "create") {
      auto slow = make_latent_encoder(reference_device, reference.vae, o.weights);
      auto quick = make_latent_encoder(device, networks.vae, o.weights);
      auto expected = values(slow->encode(frames.crops(0, count))).to(at::kFloat);
      for (auto n : o.batches)
        check_latents("create: latents", n,
                      values(quick->encode(frames.crops(0, n))).to(at::kFloat),
                      expected.narrow(0, 0, static_cast<int64_t>(n)));
    } else {
      check_latents("speak: latents of the UNet", count, predicted(networks, device, frames, count),
                    predicted(reference, reference_device, frames, count));
      auto slow = make_face_generator(reference_device, reference.unet, reference.vae, o.weights);
      auto quick = make_face_generator(device, networks.unet, networks.vae, o.weights);
      auto expected = values(slow->generate(frames.requests(0, count)));
      for (auto n : o.batches)
        good &= show(out, "speak: levels of the pictures", dtype, n,
                     between(values(quick->generate(frames.requests(0, n))),
                             expected.narrow(0, 0, static_cast<int64_t>(n))),
                     limit.level_max, limit.level_mean);
    }
  }
  return good;
}

} // namespace

int parity_main(int argc, char** argv) {
  auto o = parse_avatar_options(argc, argv);
  auto good = true;
  auto out = json_rows{};
  std::printf("[");
  try {
    for (auto dtype : o.dtypes)
      good &= compare(out, o, fast(o, dtype));
  } catch (const error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  std::printf("\n]\n");
  return good ? 0 : 1;
}

} // namespace musetalk::models::bench
