// With threads: a client waits, so somebody else must answer. Nothing here waits for a time.

#include "actors/device_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <gmock/gmock.h>

#include <future>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

struct threaded_config : caf::actor_system_config {
  threaded_config() { add_message_types<caf::id_block::musetalk>(); }
};

/// A device that answers some requests at once and keeps the others.
struct device {
  std::promise<void> kept; ///< Told when the first request was kept.
  size_t busy = 0;         ///< So many are refused first.
  bool keeps = false;      ///< Else it answers.
  std::string job;         ///< Of the last request.
  std::vector<caf::typed_response_promise<std::vector<pipeline::seen_faces>>> promises;
};

gpu_scheduler_actor::behavior_type fake_gpu(gpu_scheduler_actor::pointer self, device* x) {
  return {
      [](atom::encode, const job_id&, work_class, const std::vector<pipeline::image>&) {
        return std::vector<pipeline::latent>{};
      },
      [=](atom::find, const job_id& job, work_class, const std::vector<pipeline::image>& frames)
          -> caf::result<std::vector<pipeline::seen_faces>> {
        x->job = job.value;
        if (x->busy > 0) {
          --x->busy;
          return make_error(errc::device_busy, "The device has too much to do.");
        }
        if (!x->keeps)
          return std::vector<pipeline::seen_faces>(frames.size());
        x->promises.push_back(self->make_response_promise<std::vector<pipeline::seen_faces>>());
        x->kept.set_value();
        return x->promises.back();
      },
      [](atom::locate, const job_id&, work_class, const std::vector<pipeline::image>& frames) {
        return std::vector<pipeline::face_points>(frames.size());
      },
      [](atom::parse, const job_id&, work_class,
         const std::vector<pipeline::image>&) -> caf::result<std::vector<pipeline::image>> {
        return make_error(errc::device_failed, "The device rejected the work.");
      },
      [](atom::listen, const job_id&, work_class, const std::vector<pipeline::sound_segment>& x) {
        return std::vector<pipeline::heard_sound>(x.size());
      },
      [](atom::generate, const job_id&, work_class, const std::vector<pipeline::lip_request>& x) {
        return std::vector<pipeline::image>(x.size());
      },
      [=](atom::cancel, const job_id&) {
        for (auto& promise : x->promises)
          promise.deliver(make_error(errc::cancelled, "The work was withdrawn."));
        x->promises.clear();
      },
      [](atom::status) { return device_status{}; },
      [](atom::next) {},
  };
}

struct DeviceClient : ::testing::Test {
  threaded_config config;
  caf::actor_system system{config};
  device state;
  gpu_scheduler_actor gpu = system.spawn(fake_gpu, &state);
  std::vector<pipeline::image> frames{3};

  ~DeviceClient() override { caf::anon_send_exit(gpu, caf::exit_reason::user_shutdown); }

  std::shared_ptr<pipeline::face_analysis> client(device_client_config limits = {50s, 0ms}) {
    return make_device_client(system, gpu, job_id{"j1"}, limits);
  }

  /// Asks from a thread of its own; the code of what is thrown, or nothing.
  std::future<std::optional<errc>> ask() {
    return std::async(std::launch::async, [this]() -> std::optional<errc> {
      try {
        client()->find_faces(frames);
        return std::nullopt;
      } catch (const error& x) {
        return x.code();
      }
    });
  }
};

} // namespace

TEST_F(DeviceClient, GivesWhatTheDeviceAnswers) {
  EXPECT_EQ(client()->find_faces(frames).size(), 3u);
  EXPECT_EQ(client()->locate_points(frames).size(), 3u);
  EXPECT_EQ(state.job, "j1");
}

TEST_F(DeviceClient, ThrowsWhatTheDeviceRefuses) {
  try {
    client()->parse_faces(frames);
    FAIL();
  } catch (const error& x) {
    EXPECT_EQ(x.code(), errc::device_failed);
    EXPECT_THAT(x.detail(), HasSubstr("rejected"));
  }
}

TEST_F(DeviceClient, AsksAgainWhenTheDeviceIsBusy) {
  state.busy = 3;
  EXPECT_EQ(client()->find_faces(frames).size(), 3u);
  EXPECT_EQ(state.busy, 0u);
}

TEST_F(DeviceClient, EndsWhenItsWorkIsWithdrawn) {
  state.keeps = true;
  auto asked = ask();
  state.kept.get_future().wait();
  caf::anon_send(gpu, atom::cancel_v, job_id{"j1"});
  EXPECT_EQ(asked.get(), errc::cancelled);
}

TEST_F(DeviceClient, EndsWhenTheDeviceDiesWithItsWork) {
  state.keeps = true;
  auto asked = ask();
  state.kept.get_future().wait();
  caf::anon_send_exit(gpu, caf::exit_reason::kill);
  EXPECT_EQ(asked.get(), errc::worker_died);
  EXPECT_EQ(ask().get(), errc::worker_died) << "and so does whoever asks later";
}

TEST_F(DeviceClient, GivesUpAfterItsTimeOut) {
  state.keeps = true;
  try {
    client({1ms, 0ms})->find_faces(frames);
    FAIL();
  } catch (const error& x) {
    EXPECT_EQ(x.code(), errc::timeout);
  }
}
