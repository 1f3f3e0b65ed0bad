#include "actors/import_runner.hpp"

#include "actors/storage_writer.hpp"
#include "pipeline/avatar_export.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_registry.hpp"
#include "tests/pipeline/sample_frames.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using pipeline::job_stage;
using pipeline::job_state;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// The runner of an import over a real store.
struct ImportRunner : tests::DeterministicSystem {
  tests::registry_notes notes;
  test::temporary_folder folder;
  std::shared_ptr<pipeline::avatar_store> store =
      pipeline::open_avatar_store(folder.path() / "avatars");
  storage_writer_actor storage = own(sys.spawn(storage_writer, store));
  musetalk_runner_actor aut;

  ~ImportRunner() override { end_all(); }

  /// An upload with an avatar of seven frames, without its video.
  std::string archive() {
    test::publish_version(*store, "anna", "job1", 7);
    auto version = store->layout().version("anna", "v000001");
    fs::remove(version / "video.mp4");
    auto source = pipeline::avatar_export{version, "anna"};
    auto bytes = std::vector<std::byte>(source.bytes());
    source.read(bytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  void spawn(const std::string& bytes) {
    auto job = pipeline::job{};
    job.job_id = "job2";
    job.request.kind = pipeline::job_kind::import_archive;
    job.request.avatar_id = "bert";
    job.request.upload_id = "up2";
    auto config = import_runner_config{};
    config.layout = store->layout();
    config.limits = {.max_video_seconds = 30.,
                     .max_pixels = 1'000'000,
                     .min_side_pixels = 8,
                     .max_frames = 750,
                     .max_probe_seconds = 10.};
    config.batch_frames = 2;
    fs::create_directory(config.layout.upload("up2"));
    pipeline::write_file(config.layout.upload("up2") / "source", pipeline::bytes_of(bytes));
    auto registry = own(sys.spawn(tests::fake_registry, &notes));
    aut = sys.spawn(import_runner, config, import_runner_parts{registry, storage}, job);
    self->send(aut, atom::start_v);
  }
};

} // namespace

TEST_F(ImportRunner, PublishesWhatTheArchiveHolds) {
  spawn(archive());
  sched.run();
  ASSERT_EQ(notes.outcomes.size(), 1u);
  EXPECT_EQ(notes.outcomes[0].failure.detail, "");
  ASSERT_EQ(notes.outcomes[0].state, job_state::completed);
  const auto& version = notes.outcomes[0].version;
  EXPECT_EQ(version.version, "v000001");
  EXPECT_EQ(version.frames, 7);
  EXPECT_EQ(version.engine, "imported");
  EXPECT_EQ(version.weights, "synthetic");
  auto made = store->layout().link("bert");
  for (const auto* name : {"coords.pkl", "mask_coords.pkl", "latents.pt"})
    EXPECT_EQ(pipeline::read_file(made / name, 1 << 24),
              pipeline::read_file(store->layout().link("anna") / name, 1 << 24))
        << name;
  EXPECT_GT(fs::file_size(made / "video.mp4"), 100u);
}

TEST_F(ImportRunner, TellsHowFarItIs) {
  spawn(archive());
  sched.run();
  ASSERT_GT(notes.progress.size(), 5u);
  for (auto i = size_t{1}; i < notes.progress.size(); ++i)
    EXPECT_GE(notes.progress[i].fraction, notes.progress[i - 1].fraction);
  EXPECT_EQ(notes.progress.back().stage, job_stage::publish);
  EXPECT_EQ(notes.progress.back().frames_done, 7);
}

TEST_F(ImportRunner, FailsAndLeavesNothingWhenTheArchiveIsDamaged) {
  auto bytes = archive();
  // In the middle of a picture, so that some are written before.
  bytes.replace(bytes.find("IDAT", bytes.find("00000005.png")) + 20, 40, 40, 'x');
  spawn(bytes);
  sched.run();
  ASSERT_EQ(notes.outcomes.size(), 1u);
  EXPECT_EQ(notes.outcomes[0].state, job_state::failed);
  EXPECT_TRUE(fs::is_empty(store->layout().root / ".staging"));
  EXPECT_FALSE(fs::exists(store->layout().link("bert")));
}

TEST_F(ImportRunner, LetsGoWhenItIsCancelled) {
  spawn(archive());
  while (notes.progress.size() < 3 && sched.try_run_once()) {
    // nop
  }
  self->send(aut, atom::cancel_v);
  sched.run();
  ASSERT_EQ(notes.outcomes.size(), 1u);
  EXPECT_EQ(notes.outcomes[0].state, job_state::cancelled);
  EXPECT_TRUE(fs::is_empty(store->layout().root / ".staging"));
  EXPECT_FALSE(fs::exists(store->layout().link("bert")));
}

TEST_F(ImportRunner, LeavesNothingWhenTheServiceEnds) {
  spawn(archive());
  while (notes.progress.size() < 3 && sched.try_run_once()) {
    // nop
  }
  self->send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  EXPECT_TRUE(notes.outcomes.empty());
  EXPECT_TRUE(fs::is_empty(store->layout().root / ".staging"));
}
