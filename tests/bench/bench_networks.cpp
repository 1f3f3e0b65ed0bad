#include "tests/bench/bench_networks.hpp"

#include "models/networks/autoencoder_kl.hpp"
#include "models/networks/bisenet.hpp"
#include "models/networks/hash_fill.hpp"
#include "models/networks/rtmpose.hpp"
#include "models/networks/s3fd.hpp"
#include "models/networks/unet.hpp"
#include "models/networks/whisper.hpp"

#include <ATen/ops/from_blob.h>

#include <map>
#include <memory>
#include <stdexcept>

namespace musetalk::models::bench {

namespace {

constexpr uint64_t seed = 1;

/// Inputs by name and batch, made once: making them is not what is timed.
class inputs {
public:
  explicit inputs(const placement& where) : where_(where) {}

  at::Tensor operator()(const std::string& name, std::vector<int64_t> shape) {
    auto& x = made_[name + to_string(shape)];
    if (x.defined())
      return x;
    auto count = size_t{1};
    for (auto n : shape)
      count *= static_cast<size_t>(n);
    auto values = hashed_input(name, count, seed, 1.f);
    x = at::from_blob(values.data(), shape, at::kFloat)
            .to(where_.device, where_.dtype, false, true);
    if (shape.size() == 4)
      x = x.contiguous(at::MemoryFormat::ChannelsLast);
    return x;
  }

private:
  placement where_;
  std::map<std::string, at::Tensor> made_;
};

template <class Network>
uint64_t fill(Network& network, const placement& where, double gain) {
  hash_fill(*network, seed, gain);
  place(*network, where);
  return parameter_count(*network);
}

subject unet_of(UNet2DConditionModel network, const placement& where) {
  auto input = std::make_shared<inputs>(where);
  auto count = parameter_count(*network);
  network->fold_time();
  return {[=](int64_t n) mutable {
            return network->forward((*input)("sample", {n, 8, 32, 32}),
                                    (*input)("encoder_hidden_states", {n, 50, 384}));
          },
          177.8, count};
}

subject make_unet(const placement& where) {
  auto network = UNet2DConditionModel{unet_config{}};
  fill(network, where, 1.0);
  return unet_of(network, where);
}

subject make_vae(const placement& where, bool decode) {
  auto network = AutoencoderKL{autoencoder_config{}};
  auto count = fill(network, where, 1.0);
  auto input = std::make_shared<inputs>(where);
  if (decode)
    return {[=](int64_t n) mutable {
              return network->decode((*input)("latent", {n, 4, 32, 32}));
            },
            622.2, count};
  // Masked and reference, as an avatar's frame needs.
  return {[=](int64_t n) mutable {
            return network->encode((*input)("image", {2 * n, 3, 256, 256})).mean;
          },
          545.4, count};
}

subject make_whisper(const placement& where) {
  auto network = WhisperEncoder{whisper_config{}};
  auto count = fill(network, where, 1.0);
  auto input = std::make_shared<inputs>(where);
  return {[=](int64_t n) mutable {
            return network->forward((*input)("mel", {n, 80, 3000}));
          },
          37.0, count};
}

subject make_bisenet(const placement& where) {
  auto network = BiSeNet{bisenet_config{}};
  auto count = fill(network, where, 1.0);
  auto input = std::make_shared<inputs>(where);
  return {[=](int64_t n) mutable {
            return network->forward((*input)("image", {n, 3, 512, 512}));
          },
          27.5, count};
}

subject make_rtmpose(const placement& where) {
  auto network = RTMPose{rtmpose_config{}};
  auto count = fill(network, where, 2.0);
  auto input = std::make_shared<inputs>(where);
  return {[=](int64_t n) mutable {
            return network->forward_with_flip((*input)("canvas", {n, 3, 384, 288})).x;
          },
          77.0, count};
}

subject make_s3fd(const placement& where) {
  auto network = S3FD{s3fd_config{}};
  auto count = fill(network, where, 2.0);
  auto input = std::make_shared<inputs>(where);
  return {[=](int64_t n) mutable {
            return network->forward((*input)("frame", {n, 3, 720, 1280})).front().conf;
          },
          582.0, count};
}

const std::map<std::string, std::function<subject(const placement&)>> makers = {
    {"unet", make_unet},
    {"vae_decode",
     [](const auto& where) {
       return make_vae(where, true);
     }},
    {"vae_encode",
     [](const auto& where) {
       return make_vae(where, false);
     }},
    {"whisper", make_whisper},
    {"bisenet", make_bisenet},
    {"rtmpose", make_rtmpose},
    {"s3fd", make_s3fd}};

} // namespace

std::vector<std::string> subject_names() {
  return {"unet", "vae_decode", "vae_encode", "whisper", "bisenet", "rtmpose", "s3fd"};
}

subject make_subject(const std::string& name, const placement& where) {
  auto maker = makers.find(name);
  if (maker == makers.end())
    throw std::runtime_error("unknown network " + name);
  return maker->second(where);
}

subject load_unet(const std::string& path, const placement& where) {
  auto network = UNet2DConditionModel{unet_config{}};
  auto file = checkpoint::open(path);
  load_weights(*network, file, unet_names(), where);
  return unet_of(network, where);
}

} // namespace musetalk::models::bench
