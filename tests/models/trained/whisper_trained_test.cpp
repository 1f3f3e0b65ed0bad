#include "models/networks/whisper.hpp"

#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

namespace {

/// Where scripts/trained_whisper.sh put weights, speech and the answers of transformers.
const std::filesystem::path folder = TRAINED_WHISPER_DIR;

WhisperEncoder load(const placement& where) {
  auto config = whisper_config::from_json(json_value::parse(text_of(folder / "config.json")));
  auto network = WhisperEncoder{config};
  auto source = checkpoint::open(folder / "pytorch_model.bin");
  load_weights(*network, source, whisper_names(), where);
  return network;
}

std::vector<float> speech(golden_case& expected) {
  auto pcm = expected.tensor("input.audio_int16");
  auto* from = pcm.const_data_ptr<int16_t>();
  auto samples = std::vector<float>(static_cast<size_t>(pcm.numel()));
  std::transform(from, from + pcm.numel(), samples.begin(),
                 [](int16_t x) { return static_cast<float>(x) / 32768.f; });
  return samples;
}

} // namespace

TEST(TrainedWhisper, HearsWhatTransformersHears) {
  auto expected = golden_case{folder};
  auto mel = log_mel(speech(expected));
  expected.expect("output.mel", mel);
  c10::InferenceMode inference;
  auto states = load(placement{})->forward(mel);
  for (int64_t i = 0; i < states.size(2); ++i)
    expected.expect("output.state_" + std::to_string(i),
                    states.select(2, i).slice(1, 0, std::nullopt, 5));
}

TEST(TrainedWhisper, StaysCloseInBfloat16) {
  auto expected = golden_case{folder};
  auto mel = log_mel(speech(expected)).to(at::kBFloat16);
  c10::InferenceMode inference;
  auto states = load({at::kCPU, at::kBFloat16, true})->forward(mel).to(at::kFloat);
  for (int64_t i = 0; i < states.size(2); ++i)
    expected.expect_share("output.state_" + std::to_string(i),
                          states.select(2, i).slice(1, 0, std::nullopt, 5), 0.03);
}
