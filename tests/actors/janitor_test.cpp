#include "actors/janitor.hpp"

#include "actors/storage_writer.hpp"
#include "pipeline/avatar_store.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_pipeline.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

/// A JANITOR over a stand-in for the REGISTRY and a real store.
struct Janitor : tests::DeterministicSystem {
  tests::registry_notes notes;
  tests::fake_world world;
  test::temporary_folder folder;
  std::unique_ptr<pipeline::avatar_store> store =
      pipeline::open_avatar_store(folder.path() / "avatars");
  std::shared_ptr<worker_directory> workers = std::make_shared<worker_directory>();
  janitor_config limits;

  ~Janitor() override { end_all(); }

  void spawn() {
    workers->change([&](worker_set& x) {
      x.storage = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                    std::make_shared<tests::fake_store>(world)}));
    });
    auto registry = own(sys.spawn(tests::fake_registry, &notes));
    own(sys.spawn(janitor, limits, janitor_parts{registry, workers, store->layout(), [] {
                                                   return pipeline::timestamp_us{1'000'000'000};
                                                 }}));
    sched.run();
  }

  void seconds_pass(int count) {
    for (auto i = 0; i < count; ++i) {
      sched.advance_time(1s);
      sched.run();
    }
  }

  /// A version for which the REGISTRY asks.
  std::filesystem::path make_version() {
    test::publish_version(*store, "anna", "job1");
    notes.to_scrub = {"anna", "v000001"};
    return store->layout().version("anna", "v000001");
  }
};

} // namespace

TEST_F(Janitor, LooksAtWhatHasExpiredNowAndThen) {
  spawn();
  seconds_pass(9);
  EXPECT_EQ(notes.ticks, 0);
  seconds_pass(1);
  EXPECT_EQ(notes.ticks, 1);
  seconds_pass(25);
  EXPECT_EQ(notes.ticks, 3);
}

TEST_F(Janitor, HasTheStorageWriterDeleteWhatHadItsGraceTime) {
  spawn();
  world.trash = 3;
  seconds_pass(10);
  EXPECT_EQ(world.trash, 0u);
}

TEST_F(Janitor, CleansAtItsInterval) {
  limits.clean_interval = 60s;
  spawn();
  seconds_pass(59);
  EXPECT_THAT(notes.cleaned, IsEmpty());
  seconds_pass(1);
  EXPECT_THAT(notes.cleaned, ElementsAre(true));
  seconds_pass(60);
  EXPECT_THAT(notes.cleaned, ElementsAre(true, true));
}

TEST_F(Janitor, CleansNothingWhenEverythingIsKept) {
  spawn();
  seconds_pass(600);
  EXPECT_THAT(notes.cleaned, IsEmpty());
  EXPECT_THAT(notes.checked_before, IsEmpty()) << "and compares nothing without a rate";
}

TEST_F(Janitor, ComparesAVersionAtItsRate) {
  make_version();
  limits.scrub_bytes = 1; // A file with each tick.
  limits.scrub_age = 100s;
  spawn();
  seconds_pass(1);
  EXPECT_THAT(notes.checked_before, ElementsAre(900'000'000));
  seconds_pass(16);
  EXPECT_THAT(notes.scrubbed, IsEmpty());
  seconds_pass(1);
  EXPECT_THAT(notes.scrubbed, ElementsAre("anna v000001 "));
}

TEST_F(Janitor, RestsWhenThereIsNothingToCompare) {
  limits.scrub_bytes = 1'000'000;
  spawn();
  seconds_pass(60);
  EXPECT_EQ(notes.checked_before.size(), 1u);
  seconds_pass(1);
  EXPECT_EQ(notes.checked_before.size(), 2u);
}

TEST_F(Janitor, TellsWhatIsDamaged) {
  std::filesystem::resize_file(make_version() / "coords.pkl", 3);
  limits.scrub_bytes = 1'000'000'000;
  spawn();
  seconds_pass(2);
  ASSERT_EQ(notes.scrubbed.size(), 1u);
  EXPECT_THAT(notes.scrubbed[0], ::testing::StartsWith("anna v000001 coords.pkl has 3 bytes"));
}

TEST_F(Janitor, TellsNoDamageOfAVersionThatIsGone) {
  make_version();
  store->remove_avatar("anna");
  limits.scrub_bytes = 1'000'000'000;
  spawn();
  seconds_pass(2);
  EXPECT_THAT(notes.scrubbed, ElementsAre("anna v000001 "));
}
