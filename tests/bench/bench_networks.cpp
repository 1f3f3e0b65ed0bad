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

/// A network with hashed weights.
/// @param run Its first output, from the network, the inputs and the batch.
template <class Network, class Run>
subject hashed(Network network, const placement& where, double gain, double gflop, Run run) {
  hash_fill(*network, seed, gain);
  place(*network, where);
  auto count = parameter_count(*network);
  return {[=, input = std::make_shared<inputs>(where)](int64_t n) mutable {
            return run(network, *input, n);
          },
          gflop, count};
}

struct maker {
  std::string name;
  std::function<subject(const placement&)> make;
};

const std::vector<maker> makers = {
    {"unet",
     [](const auto& where) {
       auto network = UNet2DConditionModel{unet_config{}};
       hash_fill(*network, seed, 1.0);
       place(*network, where);
       return unet_of(network, where);
     }},
    {"vae_decode",
     [](const auto& where) {
       return hashed(AutoencoderKL{autoencoder_config{}}, where, 1.0, 622.2,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->decode(input("latent", {n, 4, 32, 32}));
                     });
     }},
    {"vae_encode", // masked and reference, as an avatar's frame needs
     [](const auto& where) {
       return hashed(AutoencoderKL{autoencoder_config{}}, where, 1.0, 545.4,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->encode(input("image", {2 * n, 3, 256, 256})).mean;
                     });
     }},
    {"whisper",
     [](const auto& where) {
       return hashed(WhisperEncoder{whisper_config{}}, where, 1.0, 37.0,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->forward(input("mel", {n, 80, 3000}));
                     });
     }},
    {"bisenet",
     [](const auto& where) {
       return hashed(BiSeNet{bisenet_config{}}, where, 1.0, 27.5,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->forward(input("image", {n, 3, 512, 512}));
                     });
     }},
    {"rtmpose",
     [](const auto& where) {
       return hashed(RTMPose{rtmpose_config{}}, where, 2.0, 77.0,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->forward_with_flip(input("canvas", {n, 3, 384, 288})).x;
                     });
     }},
    {"s3fd",
     [](const auto& where) {
       return hashed(S3FD{s3fd_config{}}, where, 2.0, 582.0,
                     [](auto& network, inputs& input, int64_t n) {
                       return network->forward(input("frame", {n, 3, 720, 1280})).front().conf;
                     });
     }},
};

} // namespace

std::vector<std::string> subject_names() {
  auto result = std::vector<std::string>{};
  for (const auto& x : makers)
    result.push_back(x.name);
  return result;
}

subject make_subject(const std::string& name, const placement& where) {
  for (const auto& x : makers)
    if (x.name == name)
      return x.make(where);
  throw std::runtime_error("unknown network " + name);
}

subject load_unet(const std::string& path, const placement& where) {
  auto network = UNet2DConditionModel{unet_config{}};
  auto file = checkpoint::open(path);
  load_weights(*network, file, unet_names(), where);
  return unet_of(network, where);
}

} // namespace musetalk::models::bench
