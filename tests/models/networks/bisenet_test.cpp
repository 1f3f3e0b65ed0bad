#include "models/networks/bisenet.hpp"

#include "errors/error.hpp"
#include "models/networks/recorder.hpp"
#include "tests/models/golden.hpp"
#include "tests/models/parity.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

using namespace musetalk::models;
using namespace musetalk::models::testing;

TEST(BiSeNet, EqualsTheReferenceAtEveryBlock) {
  auto cases = golden_cases("bisenet");
  ASSERT_FALSE(cases.empty());
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    auto expected = golden_case{folder};
    auto source = checkpoint::open(folder / "bisenet.pth");
    auto network = BiSeNet{bisenet_config::from_weights(source)};
    load_weights(*network, source, bisenet_names(), placement{});
    c10::InferenceMode inference;
    auto record = recorder{*network};
    auto logits = network->forward(expected.tensor("input.image"));
    expected.expect("output.logits", logits);
    EXPECT_EQ(expected.expect_intermediates(record.values()),
              expected.names("intermediate.").size());
    // Classes must agree wherever the best is clearly the best.
    auto clear =
        expected.tensor("output.class_margin") > 2 * expected.tolerance("output.class_margin");
    auto differs = logits.argmax(1) != expected.tensor("output.class_map");
    EXPECT_EQ((differs & clear).sum().item<int64_t>(), 0);
    EXPECT_GT(clear.to(at::kFloat).mean().item<float>(), 0.99f);
  }
}

TEST(BiSeNet, HasTheNamesAndShapesOfTheRealCheckpoint) {
  auto network = BiSeNet{bisenet_config{}};
  auto real = real_names_and_shapes("bisenet_79999.txt");
  // The two heads that only training uses are not made.
  std::erase_if(real, [](const auto& x) { return !bisenet_names().to_network(x); });
  EXPECT_EQ(names_and_shapes(*network), real);
}

TEST(BiSeNet, SaysWhenAFileIsOfAnotherNetwork) {
  auto source = checkpoint::open(goldens() / "s3fd/tiny/s3fd.pth");
  EXPECT_THROW(bisenet_config::from_weights(source), musetalk::error);
}
