#include "actors/metered.hpp"

#include "actors/interfaces.hpp"
#include "tests/actors/deterministic_system.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;

namespace {

struct probe_state {
  static inline const char* name = "probe";
};

using probe_pointer = metered_actor<storage_writer_actor, probe_state>*;

struct Metered : tests::DeterministicSystem {
  meter_reading read_of(const caf::strong_actor_ptr& x) {
    auto all = read_meters();
    auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& y) { return y.actor_id == x->id(); });
    return found == all.end() ? meter_reading{} : *found;
  }

  template <class Handle>
  meter_reading read_of(const Handle& x) {
    return read_of(caf::actor_cast<caf::strong_actor_ptr>(x));
  }
};

/// Fails one request by a guarded throw, another by an unguarded one.
gpu_scheduler_actor::behavior_type failing(metered_actor<gpu_scheduler_actor, probe_state>* self) {
  return {
      [=](atom::encode, const job_id&, work_class,
          const std::vector<pipeline::image>&) -> caf::result<std::vector<pipeline::latent>> {
        auto x = self->guarded([]() -> std::vector<pipeline::latent> {
          throw error(errc::device_failed, "The card is on fire.", "/dev/secret");
        });
        return x.error();
      },
      [](atom::find, const job_id&, work_class, const std::vector<pipeline::image>&) {
        return std::vector<pipeline::seen_faces>{};
      },
      [](atom::locate, const job_id&, work_class, const std::vector<pipeline::image>&) {
        return std::vector<pipeline::face_points>{};
      },
      [](atom::parse, const job_id&, work_class, const std::vector<pipeline::image>& x) {
        return x;
      },
      [](atom::listen, const job_id&, work_class, const std::vector<pipeline::sound_segment>& x) {
        return std::vector<pipeline::heard_sound>(x.size());
      },
      [](atom::generate, const job_id&, work_class, const std::vector<pipeline::lip_request>& x) {
        return std::vector<pipeline::image>(x.size());
      },
      [](atom::cancel, const job_id&) { throw std::runtime_error("unguarded"); },
      [](atom::status) { return device_status{}; },
      [](atom::next) {},
  };
}

} // namespace

TEST_F(Metered, CountsWaitingAndHandledMessagesWithoutAskingTheActor) {
  auto actor = own(sys.spawn(failing));
  sched.run();
  auto before = read_of(actor);
  EXPECT_EQ(before.name, "probe");
  EXPECT_EQ(before.depth, 0u);
  for (auto i = 0; i < 3; ++i)
    self->send(actor, atom::next_v);
  EXPECT_EQ(read_of(actor).depth, 3u);
  sched.run();
  auto after = read_of(actor);
  EXPECT_EQ(after.depth, 0u);
  EXPECT_EQ(after.max_depth, 3u);
  EXPECT_EQ(after.handled, before.handled + 3);
  EXPECT_GT(after.busy_us, -1);
  EXPECT_LT(after.current_us, 0);
}

TEST_F(Metered, KeepsTheLastErrorWithoutItsCause) {
  auto actor = own(sys.spawn(failing));
  auto answer = ask<std::vector<pipeline::latent>>(
      actor, atom::encode_v, job_id{"a"}, work_class::create, std::vector<pipeline::image>{});
  EXPECT_EQ(answer.code, errc::device_failed);
  EXPECT_EQ(read_of(actor).last_error, "device.failed: The card is on fire.");
}

TEST_F(Metered, ForgetsAnActorThatHasEnded) {
  auto actor = sys.spawn(failing);
  sched.run();
  EXPECT_EQ(read_of(actor).name, "probe");
  self->send(actor, atom::cancel_v, job_id{"a"}); // throws
  sched.run();
  EXPECT_EQ(read_of(actor).actor_id, 0u);
}
