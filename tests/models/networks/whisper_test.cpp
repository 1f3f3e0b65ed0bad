#include "models/networks/whisper.hpp"

#include "models/networks/recorder.hpp"
#include "models/networks/unet.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"
#include "tests/models/synthetic_media.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

namespace {

std::vector<float> samples_of(golden_case& expected) {
  auto pcm = std::vector<int16_t>{};
  if (expected.has("input.audio_int16")) {
    auto stored = expected.tensor("input.audio_int16");
    pcm.assign(stored.const_data_ptr<int16_t>(), stored.const_data_ptr<int16_t>() + stored.numel());
  } else {
    pcm = synthetic_audio(expected.tensor("input.audio_samples").item<int64_t>(), expected.seed());
  }
  auto samples = std::vector<float>{};
  for (auto x : pcm)
    samples.push_back(static_cast<float>(x) / 32768.f);
  return samples;
}

} // namespace

TEST(WhisperEncoder, EqualsTransformersFromSoundToWindows) {
  auto cases = golden_cases("whisper");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    auto expected = golden_case{folder};
    auto facts = expected.manifest().at("case");
    auto config = whisper_config::from_json(json_value::parse(text_of(folder / "config.json")));
    auto network = WhisperEncoder{config};
    auto source = checkpoint::open(folder / "pytorch_model.bin");
    load_weights(*network, source, whisper_names(), placement{});
    auto samples = samples_of(expected);
    c10::InferenceMode inference;
    auto mel = log_mel(samples);
    auto steps = facts.at("keep_steps").integer();
    expected.expect("output.mel_first_frames", mel.narrow(2, 0, 2 * steps));
    expected.expect("output.mel_last_frames", mel.narrow(2, mel.size(2) - 16, 16));
    expected.expect("output.mel_mean_per_bin", mel.mean(2));
    auto record = recorder{*network};
    auto states = network->forward(mel);
    for (const auto* name : {"conv1", "conv2", "layers.0.self_attn", "layers.0"}) {
      auto value = record.values().at(name);
      if (std::string_view{name}.starts_with("conv"))
        value = value.transpose(1, 2);
      expected.expect(std::string{"intermediate."} + name + ".first_steps",
                      value.narrow(1, 0, steps / 2));
    }
    expected.expect("output.hidden_states_first_steps", states.narrow(1, 0, steps));
    expected.expect("output.hidden_states_every_100", states.slice(1, 0, std::nullopt, 100));
    auto plan = plan_windows(static_cast<int64_t>(samples.size()), facts.at("fps").integer(),
                             facts.at("left").integer(), facts.at("right").integer());
    auto windows = cut_windows(states, plan);
    expected.expect("output.windows", windows);
    auto positions = token_positions(windows.size(1), windows.size(2));
    expected.expect("output.positional_table", positions);
    expected.expect("output.windows_with_positions", windows + positions);
  }
}

TEST(WhisperEncoder, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = WhisperEncoder{whisper_config{}};
  EXPECT_EQ(parameter_count(*network), 8'208'384u);
  auto ours = std::vector<std::string>{};
  for (const auto& x : names_and_shapes(*network))
    ours.push_back("model.encoder." + x);
  EXPECT_EQ(ours, real_names_and_shapes("whisper_tiny_encoder.txt"));
}

TEST(LogMel, IsFlatInSilence) {
  // log10 of the floor, raised to eight below the maximum (which is the floor too), scaled.
  auto mel = log_mel(std::vector<float>(16'000));
  EXPECT_EQ(mel.sizes(), (at::IntArrayRef{1, 80, 3000}));
  EXPECT_FLOAT_EQ(mel.min().item<float>(), -1.5f);
  EXPECT_FLOAT_EQ(mel.max().item<float>(), -1.5f);
}

TEST(LogMel, MakesNoSegmentOfNothing) {
  EXPECT_EQ(log_mel({}).size(0), 0);
}

TEST(CutWindows, FillsWithSilenceWhereUpstreamGivesUp) {
  // 60 fps: the last windows reach beyond the clip and its padding.
  auto plan = plan_windows(48'001, 60, 1, 3);
  auto states = at::empty({1, 1500, 5, 4}, at::kFloat).fill_(1.0);
  auto windows = cut_windows(states, plan);
  EXPECT_EQ(windows.sizes(), (at::IntArrayRef{plan.frames, plan.window * 5, 4}));
}
