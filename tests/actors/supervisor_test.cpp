#include "actors/supervisor.hpp"

#include "actors/preprocessor.hpp"
#include "tests/actors/deterministic_system.hpp"
#include "tests/actors/fake_pipeline.hpp"

#include <gmock/gmock.h>

using namespace musetalk;
using namespace musetalk::actors;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

struct Supervisor : tests::DeterministicSystem {
  tests::fake_world world;
  std::vector<std::string> fatals;
  preprocessor_actor vital = make();
  preprocessor_actor worker = make();
  int respawned = 0;
  caf::actor aut;

  ~Supervisor() override { end_all(); }

  preprocessor_actor make() {
    return own(sys.spawn(preprocessor, tests::fake_preprocessing(world)));
  }

  void spawn() {
    auto pointer = [](const auto& x) {
      return caf::actor_cast<caf::strong_actor_ptr>(x);
    };
    auto children = std::vector<supervised>{{"vital one", pointer(vital), nullptr},
                                            {"worker", pointer(worker), [this, pointer] {
                                               ++respawned;
                                               worker = make();
                                               return pointer(worker);
                                             }}};
    aut = own(sys.spawn(supervisor, children, fatal_callback{[this](const auto& x) {
                          fatals.push_back(x);
                        }}));
    sched.run();
  }

  void kill_and_run(const preprocessor_actor& x) {
    kill(x);
    sched.run();
  }
};

} // namespace

TEST_F(Supervisor, ReplacesAWorkerAsOftenAsItDies) {
  spawn();
  auto first = worker;
  kill_and_run(worker);
  EXPECT_NE(worker, first);
  kill_and_run(worker);
  EXPECT_EQ(respawned, 2);
  EXPECT_THAT(fatals, IsEmpty());
}

TEST_F(Supervisor, EndsTheServiceWithAnActorThatCannotBeReplaced) {
  spawn();
  kill_and_run(vital);
  EXPECT_THAT(fatals, ElementsAre(HasSubstr("vital one")));
}

TEST_F(Supervisor, EndsTheServiceWhenReplacingDoesNotHelp) {
  spawn();
  for (auto i = 0; i < 11; ++i)
    kill_and_run(worker);
  EXPECT_EQ(respawned, 10);
  EXPECT_THAT(fatals, ElementsAre(HasSubstr("again and again")));
}

TEST_F(Supervisor, ForgetsDeathsOfLongAgo) {
  spawn();
  for (auto i = 0; i < 30; ++i) {
    kill_and_run(worker);
    sched.advance_time(std::chrono::seconds{10});
  }
  EXPECT_EQ(respawned, 30);
  EXPECT_THAT(fatals, IsEmpty());
}

TEST_F(Supervisor, TakesTheEndOfTheServiceForNoAccident) {
  spawn();
  self->send(aut, atom::stop_v);
  sched.run();
  kill_and_run(vital);
  kill_and_run(worker);
  EXPECT_EQ(respawned, 0);
  EXPECT_THAT(fatals, IsEmpty());
}
