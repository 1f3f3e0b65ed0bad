#include "actors/storage_writer.hpp"

#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_pipeline.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::actors;
using pipeline::avatar_version;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

struct StorageWriter : tests::DeterministicSystem {
  tests::fake_world world;
  storage_writer_actor aut =
      own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                        std::make_shared<tests::fake_store>(world)}));

  ~StorageWriter() override { end_all(); }

  tests::answer<std::string> open(const std::string& job) {
    auto plan = pipeline::version_plan{};
    plan.job_id = job;
    plan.avatar_id = "anna";
    return ask<std::string>(aut, atom::open_v, plan);
  }

  tests::answer<int64_t> write(const std::string& job, int64_t first, int64_t count) {
    auto batch = pipeline::prepared_batch{};
    auto latents = std::vector<pipeline::latent>{};
    for (auto i = first; i < first + count; ++i) {
      batch.frames.emplace_back().source.index = i;
      latents.push_back({std::make_shared<const std::vector<uint16_t>>(1, i)});
    }
    return ask<int64_t>(aut, atom::write_v, job_id{job}, batch, latents);
  }
};

} // namespace

TEST_F(StorageWriter, WritesVerifiesAndPublishesAVersion) {
  EXPECT_EQ(*open("j1").value, "/staging/j1");
  EXPECT_EQ(write("j1", 0, 3).value, 3);
  EXPECT_EQ(write("j1", 3, 2).value, 5);
  EXPECT_EQ(ask<int64_t>(aut, atom::verify_v, job_id{"j1"}).value, 5);
  EXPECT_EQ(ask<avatar_version>(aut, atom::publish_v, job_id{"j1"}).value->version, "v000001");
  EXPECT_EQ(ask<avatar_version>(aut, atom::publish_v, job_id{"j1"}).code, errc::cancelled);
}

TEST_F(StorageWriter, KeepsTheVersionsOfSeveralJobsApart) {
  open("j1");
  open("j2");
  write("j1", 0, 2);
  write("j2", 0, 1);
  write("j1", 2, 1);
  EXPECT_THAT(world.written["j1"], ElementsAre(0, 1, 2));
  EXPECT_THAT(world.written["j2"], ElementsAre(0));
}

TEST_F(StorageWriter, RefusesWhatComesAfterADiscard) {
  open("j1");
  EXPECT_EQ(ask<job_id>(aut, atom::discard_v, job_id{"j1"}).value->value, "j1");
  EXPECT_THAT(world.staging, IsEmpty());
  EXPECT_EQ(write("j1", 0, 1).code, errc::cancelled);
  EXPECT_TRUE(ask<job_id>(aut, atom::discard_v, job_id{"unknown"}).value);
}

TEST_F(StorageWriter, BeginsAnewWhenAJobIsTriedAgain) {
  open("j1");
  write("j1", 0, 2);
  open("j1");
  EXPECT_THAT(world.staging, ElementsAre("j1"));
  EXPECT_EQ(write("j1", 0, 1).value, 1);
}

TEST_F(StorageWriter, OutlivesAFullDisk) {
  open("j1");
  world.faults["write"] = errc::storage_full;
  EXPECT_EQ(write("j1", 0, 1).code, errc::storage_full);
  world.faults.clear();
  EXPECT_TRUE(open("j2").value);
}

TEST_F(StorageWriter, RemovesWhatIsInStagingWhenItEnds) {
  open("j1");
  open("j2");
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  sched.run();
  EXPECT_THAT(world.staging, IsEmpty());
}

TEST_F(StorageWriter, RemovesUploadsAndAvatars) {
  world.uploads = {"u1", "u2"};
  self->send(aut, atom::discard_v, upload_id{"u1"});
  sched.run();
  EXPECT_THAT(world.uploads, ElementsAre("u2"));
  world.published["anna"];
  EXPECT_TRUE(ask<avatar_id>(aut, atom::remove_v, avatar_id{"anna"}).value);
  EXPECT_THAT(world.published, IsEmpty());
}

TEST_F(StorageWriter, DeletesInSlicesAndWritesBetweenThem) {
  open("j1");
  world.trash_each = 1000;
  caf::anon_send(aut, atom::remove_v, avatar_id{"anna"});
  while (std::ranges::count(world.log, "sweep") == 0)
    ASSERT_TRUE(sched.try_run_once());
  EXPECT_EQ(write("j1", 0, 1).value, 1);
  EXPECT_EQ(world.trash, 0u);
  EXPECT_LE(world.most_swept, 100u);
  EXPECT_THAT(std::vector(world.log.begin(), world.log.begin() + 5),
              ElementsAre("begin", "remove", "sweep", "sweep", "write"));
  EXPECT_EQ(world.log.back(), "sweep");
}

TEST_F(StorageWriter, GoesOnWhenSomethingCannotBeDeleted) {
  world.faults["sweep"] = errc::storage_failed;
  world.trash_each = 1000;
  EXPECT_TRUE(ask<avatar_id>(aut, atom::remove_v, avatar_id{"anna"}).value);
  EXPECT_EQ(world.trash, 0u);
}

TEST_F(StorageWriter, DeletesWhatTheLifeBeforeLeft) {
  sched.run();
  world.trash = 3;
  auto next = own(sys.spawn(storage_writer, std::shared_ptr<pipeline::avatar_store>{
                                                std::make_shared<tests::fake_store>(world)}));
  sched.run();
  EXPECT_EQ(world.trash, 0u);
}
