#include "pipeline/face_methods.hpp"

#include "errors/error.hpp"
#include "pipeline/weights.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::pipeline;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

/// Weights of which these files are not there.
weights_status weights(const std::string& mode, const std::vector<std::string>& absent = {}) {
  auto result = weights_status{mode, true, {}, {}, {}};
  auto add = [&](const std::string& path, const std::string& need) {
    auto file = weight_file{};
    file.path = path;
    file.need = need;
    file.usable = std::ranges::find(absent, path) == absent.end();
    file.state = file.usable ? "ok" : "missing";
    result.files.push_back(file);
  };
  add("sd-vae/config.json", "create");
  add("face-parse-bisent/79999_iter.pth", "create-parsing");
  add("dwpose/dw-ll_ucoco_384.pth", "create-dwpose");
  add("s3fd/s3fd-619a316812.pth", "create-dwpose");
  return result;
}

constexpr auto parser = "face-parse-bisent/79999_iter.pth";
constexpr auto detector = "s3fd/s3fd-619a316812.pth";

face_methods methods(face_backend backend, mask_source mask) {
  return {backend, mask, parsing_mode::jaw};
}

} // namespace

TEST(ChooseFaces, TakesMuseTalksOwnWayWhereItsWeightsAre) {
  auto chosen = choose_faces("auto", "jaw", weights("real"));
  EXPECT_EQ(chosen.methods, methods(face_backend::dwpose, mask_source::bisenet));
  EXPECT_THAT(chosen.notes, IsEmpty());
}

TEST(ChooseFaces, TakesMediapipeElseAndSaysWhatIsMissing) {
  auto chosen = choose_faces("auto", "jaw", weights("real", {detector}));
  EXPECT_EQ(chosen.methods, methods(face_backend::mediapipe, mask_source::bisenet));
  EXPECT_THAT(chosen.notes, ElementsAre(HasSubstr("s3fd/s3fd-619a316812.pth: missing")));
}

TEST(ChooseFaces, DrawsMasksWithoutTheParserAndSaysSo) {
  auto chosen = choose_faces("dwpose", "jaw", weights("real", {parser}));
  EXPECT_EQ(chosen.methods, methods(face_backend::dwpose, mask_source::polygon));
  EXPECT_THAT(chosen.notes, ElementsAre(HasSubstr("face-parse-bisent/79999_iter.pth: missing")));
}

TEST(ChooseFaces, DoesWhatIsWantedByName) {
  EXPECT_EQ(choose_faces("mediapipe", "jaw", weights("real")).methods,
            methods(face_backend::mediapipe, mask_source::bisenet));
  // The service then refuses jobs: nothing is put in the place of what was asked for.
  EXPECT_EQ(choose_faces("dwpose", "jaw", weights("real", {detector})).methods.backend,
            face_backend::dwpose);
}

TEST(ChooseFaces, TakesSyntheticFaceNetworksOnlyWhenTheyAreWanted) {
  EXPECT_EQ(choose_faces("auto", "jaw", weights("synthetic")).methods,
            methods(face_backend::mediapipe, mask_source::polygon));
  EXPECT_EQ(choose_faces("dwpose", "jaw", weights("synthetic", {parser, detector})).methods,
            methods(face_backend::dwpose, mask_source::bisenet));
}

TEST(ChooseFaces, NeedsNothingInMockMode) {
  EXPECT_FALSE(choose_faces("dwpose", "jaw", weights("none")).methods.on_device());
}

TEST(ChooseFaces, ReadsTheModeAndRefusesOtherWords) {
  EXPECT_EQ(choose_faces("auto", "neck", weights("real")).methods.mode, parsing_mode::neck);
  EXPECT_EQ(choose_faces("auto", "raw", weights("synthetic")).methods.mode, parsing_mode::raw);
  EXPECT_THROW(choose_faces("auto", "chin", weights("real")), error);
  EXPECT_THROW(choose_faces("dlib", "jaw", weights("real")), error);
}

TEST(FaceMethods, AreDescribedInOneLine) {
  EXPECT_EQ(describe(methods(face_backend::dwpose, mask_source::bisenet)),
            "dwpose, masks by bisenet (jaw)");
}
