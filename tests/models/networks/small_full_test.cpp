#include "models/networks/bisenet.hpp"
#include "models/networks/recorder.hpp"
#include "models/networks/rtmpose.hpp"
#include "models/networks/s3fd.hpp"
#include "models/networks/whisper.hpp"
#include "tests/models/face_checks.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"
#include "tests/models/pose_checks.hpp"
#include "tests/models/synthetic_media.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

namespace {

at::Tensor every(const at::Tensor& x, std::initializer_list<int64_t> steps) {
  auto part = x;
  auto dimension = int64_t{0};
  for (auto step : steps)
    part = part.slice(dimension++, 0, std::nullopt, step);
  return part;
}

} // namespace

TEST(WhisperEncoderFull, EqualsTransformersAtFullSize) {
  auto expected = golden_case{goldens() / "whisper/full"};
  auto network = WhisperEncoder{whisper_config::from_json(expected.config())};
  fill_full_size(*network, expected);
  c10::InferenceMode inference;
  auto states = network->forward(hashed_tensor("mel", {1, 80, 3000}, expected.seed(), 1.f));
  expected.expect("output.hidden_states_every_100", states.slice(1, 0, std::nullopt, 100));
  expected.expect("output.hidden_states_mean", states.mean({1, 3}));
  expected.expect("output.hidden_states_std",
                  states.to(at::kDouble).std(at::IntArrayRef{1, 3}, false));
}

TEST(WhisperEncoderFull, StaysCloseInBfloat16) {
  auto expected = golden_case{goldens() / "whisper/full"};
  auto network = WhisperEncoder{whisper_config::from_json(expected.config())};
  fill_full_size(*network, expected);
  place(*network, {at::kCPU, at::kBFloat16, true});
  c10::InferenceMode inference;
  auto mel = hashed_tensor("mel", {1, 80, 3000}, expected.seed(), 1.f);
  auto states = network->forward(mel.to(at::kBFloat16));
  expected.expect_share("output.hidden_states_every_100", states.slice(1, 0, std::nullopt, 100),
                        0.02);
}

TEST(BiSeNetFull, EqualsTheReferenceAtFullSize) {
  auto expected = golden_case{goldens() / "bisenet/full"};
  auto network = BiSeNet{bisenet_config{}};
  fill_full_size(*network, expected);
  place(*network, placement{});
  c10::InferenceMode inference;
  auto image = hashed_tensor("image", {1, 3, 512, 512}, expected.seed(), 2.f);
  // Before anything is recorded, so that the normalisations are folded into the weights.
  auto logits = network->forward(image);
  auto record = recorder{*network};
  network->forward(image);
  expected.expect("intermediate.cp.resnet.layer4.strided",
                  every(record.values().at("cp.resnet.layer4"), {1, 16, 4, 4}));
  expected.expect("intermediate.cp.conv_head16.strided",
                  every(record.values().at("cp.conv_head16"), {1, 8, 8, 8}));
  expected.expect("output.logits_every_16", every(logits, {1, 1, 16, 16}));
  expected.expect("output.logits_row_511", logits.select(2, 511));
  auto clear = expected.tensor("output.class_margin_every_4") >
               2 * expected.tolerance("output.class_margin_every_4");
  auto differs = every(logits.argmax(1), {1, 4, 4}) != expected.tensor("output.class_map_every_4");
  EXPECT_EQ((differs & clear).sum().item<int64_t>(), 0);
}

TEST(RTMPoseFull, EqualsTheReferenceAtFullSize) {
  auto expected = golden_case{goldens() / "dwpose/full"};
  auto network = RTMPose{rtmpose_config{}};
  fill_full_size(*network, expected);
  place(*network, placement{});
  c10::InferenceMode inference;
  auto x = pose_input(synthetic_image("canvas", 384, 288, expected.seed()).unsqueeze(0));
  auto both = network->forward_with_flip(x);
  auto record = recorder{*network};
  auto plain = network->forward(x);
  for (const auto* stage : {"backbone.stage1", "backbone.stage3", "backbone.stage4"})
    expected.expect(std::string{"intermediate."} + stage + ".strided",
                    every(record.values().at(stage), {1, 16, 4, 4}));
  expected.expect("intermediate.head.gau.strided",
                  every(record.values().at("head.gau"), {1, 8, 8}));
  expected.expect("output.simcc_x_every_8th_keypoint", every(plain.x, {1, 8}));
  expected.expect("output.simcc_y_every_8th_keypoint", every(plain.y, {1, 8}));
  expected.expect("output.simcc_x_flip_averaged_every_8th_keypoint", every(both.x, {1, 8}));
  expected.expect("output.simcc_y_flip_averaged_every_8th_keypoint", every(both.y, {1, 8}));
  expect_pose(expected, both, network->config(), 640, 480);
}

TEST(S3FDFull, EqualsTheReferenceAtFullSize) {
  auto expected = golden_case{goldens() / "s3fd/full"};
  auto network = S3FD{s3fd_config{}};
  fill_full_size(*network, expected);
  place(*network, placement{});
  c10::InferenceMode inference;
  auto frame = synthetic_image("frame", 200, 264, expected.seed());
  expect_faces(expected, network->forward(s3fd_input(frame.unsqueeze(0))));
}
