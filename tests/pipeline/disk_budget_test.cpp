#include "pipeline/disk_budget.hpp"

#include "tests/pipeline/expect_error.hpp"

using namespace musetalk;
using namespace musetalk::pipeline;

namespace {

struct DiskBudget : ::testing::Test {
  uint64_t free_bytes = 1'000'000'000;

  std::shared_ptr<disk_budget> budget(bool mock = false) {
    return std::make_shared<disk_budget>(
        [this] {
          return std::optional{disk_space{free_bytes, 2'000'000'000}};
        },
        size_rule{mock, 3000});
  }

  static media_info video(int64_t frames, int32_t width = 1280, int32_t height = 720) {
    auto x = media_info{};
    x.width = width;
    x.height = height;
    x.predicted_frames = frames;
    x.duration_s = static_cast<double>(frames) / 25;
    return x;
  }
};

} // namespace

TEST_F(DiskBudget, PredictsFromFramesAndPixels) {
  auto x = budget();
  auto small = x->predict(video(250));
  EXPECT_GT(small, 250u * 1280 * 720);
  EXPECT_LT(small, 250u * 1280 * 720 * 2);
  EXPECT_GT(x->predict(video(500)), small * 19 / 10);
  EXPECT_GT(x->predict(video(250, 1920, 1080)), small * 2);
  // only the film, at its rate
  EXPECT_EQ(budget(true)->predict(video(250)), 3'750'000u);
  EXPECT_LT(budget(true)->predict(video(1, 64, 64)), 10'000u);
}

TEST_F(DiskBudget, FollowsWhatWasMeasured) {
  auto x = budget();
  auto before = x->predict(video(250));
  for (auto i = 0; i < 10; ++i)
    x->measured(video(250), 250, uint64_t{250} * 1280 * 720 * 3);
  EXPECT_GT(x->predict(video(250)), before * 3 / 2);
}

TEST_F(DiskBudget, RefusesWhatCannotFitWithTheNumbers) {
  auto x = budget();
  free_bytes = 100'000'000;
  try {
    x->require_possible(video(250));
    FAIL();
  } catch (const error& problem) {
    EXPECT_EQ(problem.code(), errc::storage_full);
    EXPECT_EQ(problem.detail(), "The avatar needs about 331.1 MB; 100.0 MB of 2000.0 MB are free, "
                                "0.0 MB of them reserved for running jobs.");
  }
  EXPECT_NO_THROW(x->require_possible(video(25)));
}

TEST_F(DiskBudget, KeepsRoomForThoseThatRun) {
  auto x = budget();
  auto needed = x->predict(video(250));
  free_bytes = needed * 3 / 2;
  auto first = x->reserve(video(250));
  EXPECT_EQ(x->reserved(), needed);
  test::detail_of(errc::storage_full, [&] { x->reserve(video(250)); });
  // what is written is no longer free, and no longer to come
  first->written(0.75);
  EXPECT_EQ(x->reserved(), needed / 4);
  auto second = x->reserve(video(250));
  first.reset();
  second.reset();
  EXPECT_EQ(x->reserved(), 0u);
}

TEST_F(DiskBudget, HasNoLimitWhereTheDiskDoesNotTell) {
  auto x = std::make_shared<disk_budget>([] { return std::optional<disk_space>{}; }, size_rule{});
  EXPECT_NO_THROW(x->reserve(video(1'000'000)));
}
