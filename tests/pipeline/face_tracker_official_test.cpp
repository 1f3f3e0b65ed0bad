#include "tests/pipeline/official_facemesh.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace musetalk::pipeline;

// With MEDIAPIPE_PYTHON naming a Python that has mediapipe 0.10.14, the whole sample is compared.
TEST(FaceTrackerOfficial, EqualsTheRuntimeOnTheWholeSample) {
  auto python = std::getenv("MEDIAPIPE_PYTHON");
  auto video = std::filesystem::path{MUSETALK_SOURCE_DIR} / ".deps/media/carphone_pristine.mp4";
  if (python == nullptr || !std::filesystem::exists(video))
    GTEST_SKIP() << "MEDIAPIPE_PYTHON is not set, or the sample clip is not there";
  auto folder = std::filesystem::path{testing::TempDir()} / "official_facemesh";
  std::filesystem::remove_all(folder);
  auto script = golden("generate/facemesh.py");
  auto command = "'" + std::string{python} + "' '" + script.string() + "' '" + video.string() +
                 "' '" + folder.string() + "' 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  compare_with_official(folder);
}
