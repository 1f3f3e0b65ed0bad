#include "models/audio_encoder.hpp"
#include "models/face_finder.hpp"
#include "models/face_generator.hpp"
#include "models/face_parser.hpp"
#include "models/pose_estimator.hpp"

#include "errors/error.hpp"
#include "tests/models/golden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <unistd.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;
using musetalk::errc;
using musetalk::error;
namespace fs = std::filesystem;

namespace {

load_options synthetic() {
  auto options = load_options{};
  options.synthetic = true;
  options.device = "cpu";
  return options;
}

errc code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const error& e) {
    return e.code();
  }
  return errc::internal;
}

} // namespace

TEST(FaceNetworks, SayWhichFileIsMissing) {
  auto options = load_options{.models_dir = "/nonexistent", .device = "cpu"};
  EXPECT_EQ(code_of([&] { make_face_parser(options); }), errc::models_missing);
  EXPECT_EQ(code_of([&] { make_pose_estimator(options); }), errc::models_missing);
  EXPECT_EQ(code_of([&] { make_face_finder(options); }), errc::models_missing);
  EXPECT_EQ(code_of([&] { make_audio_encoder(options); }), errc::models_missing);
  EXPECT_EQ(code_of([&] { make_face_generator(options); }), errc::models_missing);
}

TEST(FaceNetworks, LoadTheirFilesByName) {
  auto models = fs::temp_directory_path() / ("musetalk_faces_" + std::to_string(::getpid()));
  auto put = [&](const std::string& path, const fs::path& from) {
    fs::create_directories((models / path).parent_path());
    fs::copy_file(from, models / path);
  };
  put("face-parse-bisent/79999_iter.pth", goldens() / "bisenet/tiny/bisenet.pth");
  put("dwpose/dw-ll_ucoco_384.pth", goldens() / "dwpose/tiny/dwpose.pth");
  put("s3fd/s3fd-619a316812.pth", goldens() / "s3fd/tiny/s3fd.pth");
  put("whisper/config.json", goldens() / "whisper/tiny/config.json");
  put("whisper/pytorch_model.bin", goldens() / "whisper/tiny/pytorch_model.bin");
  auto options = load_options{.models_dir = models, .device = "cpu"};
  EXPECT_FALSE(make_face_parser(options)->report().synthetic);
  EXPECT_EQ(make_pose_estimator(options)->canvas_width(), 96);
  EXPECT_TRUE(make_face_finder(options)->report().weights_id.starts_with("s3fd/"));
  EXPECT_EQ(make_audio_encoder(options)->encode(std::vector<float>(16'000), 25).channels, 16);
  fs::remove_all(models);
}

TEST(FaceParser, GivesEveryPixelAClass) {
  auto parser = make_face_parser(synthetic());
  auto picture = std::vector<uint8_t>(3 * parsing_side * parsing_side, 100);
  auto maps = parser->parse(std::vector<rgb_picture>{{picture}, {picture}});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].size(), static_cast<size_t>(parsing_side * parsing_side));
  EXPECT_LT(*std::max_element(maps[0].begin(), maps[0].end()), 19);
  EXPECT_EQ(maps[0], maps[1]);
  auto small = std::vector<uint8_t>(3);
  EXPECT_THROW(parser->parse(std::vector<rgb_picture>{{small}}), error);
}

TEST(PoseEstimator, AnswersASchematicFaceWithSyntheticWeights) {
  auto estimator = make_pose_estimator(synthetic());
  auto canvas = std::vector<uint8_t>(
      static_cast<size_t>(3 * estimator->canvas_width() * estimator->canvas_height()));
  auto poses = estimator->estimate(std::vector<pose_input_canvas>{{canvas, 640, 480}});
  ASSERT_EQ(poses.size(), 1u);
  const auto& chin = poses[0][first_face_keypoint + 8];
  const auto& nose = poses[0][first_face_keypoint + 29];
  EXPECT_NEAR(chin.x, 320, 1);
  EXPECT_GT(chin.y, nose.y);
  for (size_t i = 0; i < face_keypoints; ++i) {
    EXPECT_GT(poses[0][first_face_keypoint + i].x, 0);
    EXPECT_LT(poses[0][first_face_keypoint + i].x, 640);
  }
}

TEST(FaceFinder, SearchesFramesOfDifferentSizes) {
  auto finder = make_face_finder(synthetic());
  auto small = std::vector<uint8_t>(3 * 64 * 48), large = std::vector<uint8_t>(3 * 96 * 96);
  auto faces =
      finder->find(std::vector<bgr_frame>{{small, 64, 48}, {small, 64, 48}, {large, 96, 96}});
  ASSERT_EQ(faces.size(), 3u);
  EXPECT_EQ(faces[0].size(), 1u);
  EXPECT_NEAR(faces[2][0].left + faces[2][0].right, 96, 1e-9);
  EXPECT_THROW(finder->find(std::vector<bgr_frame>{{small, 8, 8}}), error);
  EXPECT_THROW(finder->find(std::vector<bgr_frame>{{small, 64, 49}}), error);
}

TEST(AudioEncoder, GivesEachFrameItsWindow) {
  auto encoder = make_audio_encoder(synthetic());
  auto features = encoder->encode(std::vector<float>(16'000), 25);
  EXPECT_EQ(features.frames, 25);
  EXPECT_EQ(features.tokens, 50);
  EXPECT_EQ(features.values.size(),
            static_cast<size_t>(features.frames * features.tokens * features.channels));
  EXPECT_EQ(encoder->encode({}, 25).frames, 0);
}

TEST(FaceGenerator, MakesAFacePerRequest) {
  auto encoder = make_audio_encoder(synthetic());
  auto generator = make_face_generator(synthetic());
  auto features = encoder->encode(std::vector<float>(1'280), 25);
  ASSERT_EQ(features.frames, 2);
  ASSERT_EQ(features.channels, generator->audio_channels());
  auto latent = std::vector<uint16_t>(latent_values);
  auto audio = std::span{features.values}.first(features.values.size() / 2);
  auto faces = generator->generate(std::vector<lip_request>{{latent, audio}, {latent, audio}});
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_EQ(faces[0].size(), face_bytes);
  EXPECT_EQ(faces[0], faces[1]);
}

TEST(FaceGenerator, RefusesWhatIsNoRequest) {
  auto generator = make_face_generator(synthetic());
  auto latent = std::vector<uint16_t>(latent_values),
       half = std::vector<uint16_t>(latent_values / 2);
  auto audio = std::vector<float>(static_cast<size_t>(generator->audio_channels() * 50));
  EXPECT_TRUE(generator->generate({}).empty());
  EXPECT_THROW(generator->generate(std::vector<lip_request>{{half, audio}}), error);
  EXPECT_THROW(generator->generate(std::vector<lip_request>{{latent, {}}}), error);
}

TEST(FaceGenerator, RefusesToShowWhatIsNoNumber) {
  auto generator = make_face_generator(synthetic());
  auto latent = std::vector<uint16_t>(latent_values, 0x7E00); // NaN
  auto audio = std::vector<float>(static_cast<size_t>(generator->audio_channels() * 50));
  EXPECT_EQ(code_of([&] {
              generator->generate(std::vector<lip_request>{{latent, audio}});
            }),
            errc::device_failed);
}
