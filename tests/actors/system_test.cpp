// The whole system with its threads, the real store and the real catalog. Pictures and latents are
// made up; nothing here waits for a time, only for events.

#include "actors/system.hpp"

#include "pipeline/ids.hpp"
#include "pipeline/time.hpp"
#include "pipeline/upload_spool.hpp"
#include "tests/pipeline/temporary_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <future>

using namespace musetalk;
using namespace musetalk::actors;
using namespace std::chrono_literals;
using pipeline::job_state;
using pipeline::job_view;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

pipeline::image plain(int32_t side, int32_t channels) {
  return {side, side, channels,
          pipeline::share(std::vector<uint8_t>(static_cast<size_t>(side) * side * channels, 90))};
}

/// Hands out so many made-up frames, or frames without end.
class made_up_clip : public pipeline::clip_preparer {
public:
  made_up_clip(const pipeline::clip_request& request, pipeline::face_analysis_ptr analysis,
               int64_t frames, std::promise<void>* first)
      : request_(request), analysis_(std::move(analysis)), first_(first) {
    info_.predicted_frames = frames;
    std::ofstream{request.video_path} << "a video";
  }

  const pipeline::media_info& info() const override { return info_; }

  pipeline::prepared_batch next(int32_t max_frames) override {
    auto result = pipeline::prepared_batch{};
    for (auto i = 0; i < max_frames && done_ != info_.predicted_frames; ++i)
      result.frames.push_back(frame(done_++));
    result.frames_decoded = done_;
    result.last = done_ == info_.predicted_frames;
    if (auto* first = std::exchange(first_, nullptr))
      first->set_value();
    ask_about(result);
    return result;
  }

private:
  // As the native preparer does: the faces of a batch, their points, their classes.
  void ask_about(const pipeline::prepared_batch& batch) {
    auto pictures = std::vector<pipeline::image>{};
    for (const auto& x : batch.frames)
      pictures.push_back(x.source.picture);
    EXPECT_EQ(analysis_->find_faces(pictures).size(), pictures.size());
    EXPECT_EQ(analysis_->locate_points(pictures).size(), pictures.size());
    EXPECT_EQ(analysis_->parse_faces(pictures).size(), pictures.size());
  }

  static pipeline::prepared_frame frame(int64_t index) {
    auto result = pipeline::prepared_frame{};
    result.source = {index, plain(64, 3)};
    result.face_box = {8, 8, 56, 56};
    result.crop = plain(pipeline::crop_size, 3);
    result.mask_box = {0, 0, 64, 64};
    result.mask = plain(64, 1);
    return result;
  }

  pipeline::clip_request request_;
  pipeline::face_analysis_ptr analysis_;
  pipeline::media_info info_;
  std::promise<void>* first_;
  int64_t done_ = 0;
};

/// How the device of a test behaves.
struct device_mood {
  std::atomic<int64_t> finds = 0;        ///< Executions that looked for faces.
  std::atomic<int64_t> dies_at = 0;      ///< From the find of that number on it is gone; 0: never.
  std::promise<void>* found = nullptr;   ///< Told within the first find,
  std::shared_future<void> held_until{}; ///< which then waits for this.
};

class made_up_networks : public pipeline::device_networks {
public:
  explicit made_up_networks(device_mood& mood) : mood_(mood) {}

  std::vector<pipeline::latent> encode(std::span<const pipeline::image> crops) override {
    auto one = pipeline::latent{std::make_shared<const std::vector<uint16_t>>(8 * 32 * 32)};
    return alone([&] { return std::vector<pipeline::latent>(crops.size(), one); });
  }

  std::vector<pipeline::seen_faces> find_faces(std::span<const pipeline::image> x) override {
    ++mood_.finds;
    return alone([&] {
      if (auto* found = std::exchange(mood_.found, nullptr)) {
        found->set_value();
        mood_.held_until.wait();
      }
      return std::vector<pipeline::seen_faces>(x.size());
    });
  }

  std::vector<pipeline::face_points> locate_points(std::span<const pipeline::image> x) override {
    return alone([&] { return std::vector<pipeline::face_points>(x.size()); });
  }

  std::vector<pipeline::image> parse_faces(std::span<const pipeline::image> x) override {
    return alone([&] { return std::vector(x.begin(), x.end()); });
  }

  std::vector<pipeline::heard_sound> listen(std::span<const pipeline::sound_segment> x) override {
    return std::vector<pipeline::heard_sound>(x.size());
  }

  std::vector<pipeline::image> generate(std::span<const pipeline::lip_request> x) override {
    return std::vector<pipeline::image>(x.size());
  }

  void warm_up(size_t) override {
    alone([] { return 0; });
  }

  void try_out() override { warm_up(1); }

  pipeline::device_report report() const override {
    return {"cpu", "made up", "synthetic", "fp32", 0, ""};
  }

private:
  template <class Work>
  std::invoke_result_t<Work> alone(Work work) {
    if (mood_.dies_at > 0 && mood_.finds >= mood_.dies_at)
      throw error(errc::device_failed, "The device does not answer.");
    EXPECT_EQ(inside_.fetch_add(1), 0) << "two works on the device at once";
    auto result = work();
    inside_.fetch_sub(1);
    return result;
  }

  device_mood& mood_;
  std::atomic<int> inside_ = 0;
};

struct ServiceSystem : ::testing::Test {
  test::temporary_folder folder;
  pipeline::store_layout layout{folder.path() / "avatars"};
  system_config config;
  std::atomic<int64_t> frames = 5; ///< Of every clip; negative: without end.
  std::promise<void>* first_pull = nullptr;
  device_mood mood;
  std::promise<std::string> fatal;

  ServiceSystem() { config.synthetic = true; }

  system_parts parts() {
    auto result = system_parts{};
    result.open_store = [this] {
      return pipeline::open_avatar_store(layout.root);
    };
    result.open_catalog = [this] {
      return pipeline::open_sqlite_catalog(layout.catalog());
    };
    result.preprocessor.probe = [this](const std::filesystem::path&, pipeline::job_kind) {
      auto info = pipeline::media_info{};
      info.predicted_frames = frames;
      return info;
    };
    result.preprocessor.check_faces = [](const pipeline::clip_request&,
                                         const pipeline::face_analysis_ptr&) {
    };
    result.preprocessor.resolve = [](const std::string&,
                                     pipeline::job_kind) -> pipeline::spooled_file {
      throw error(errc::video_path_forbidden, "The path leaves the roots.");
    };
    result.preprocessor.open_clip = [this](const pipeline::clip_request& x,
                                           const pipeline::face_analysis_ptr& analysis) {
      return std::make_unique<made_up_clip>(x, analysis, frames,
                                            std::exchange(first_pull, nullptr));
    };
    result.make_networks = [this] {
      return std::make_unique<made_up_networks>(mood);
    };
    result.now_us = pipeline::now_us;
    result.new_job_id = pipeline::new_job_id;
    result.fatal = [this](const std::string& reason) {
      fatal.set_value(reason);
    };
    return result;
  }

  /// Asks an actor of the system; the time-out only keeps a broken test from hanging.
  template <class T, class Handle, class... Ts>
  static caf::expected<T> ask(service_system& system, const Handle& whom, Ts&&... xs) {
    auto self = caf::scoped_actor{system.actors()};
    auto result = caf::expected<T>{caf::error{}};
    self->request(whom, 50s, std::forward<Ts>(xs)...)
        .receive([&](T& x) { result = std::move(x); },
                 [&](caf::error& x) { result = std::move(x); });
    return result;
  }

  /// Uploads a file for an avatar, as the front end does.
  caf::expected<job_view> upload(service_system& system, const std::string& avatar) {
    auto id = pipeline::new_upload_id();
    auto spool = pipeline::upload_spool{layout.upload(id), id, 1'000};
    caf::anon_send(system.uploads(), atom::began_v, upload_id{id});
    auto bytes = "video of " + avatar;
    spool.write(std::as_bytes(std::span{bytes}));
    auto file = spool.finish();
    spool.keep();
    auto request = pipeline::job_request{};
    request.avatar_id = avatar;
    return ask<job_view>(system, system.uploads(), atom::commit_v, file, request);
  }

  caf::expected<job_view> await_end(service_system& system, const std::string& id) {
    return ask<job_view>(system, system.registry(), atom::await_end_v, job_id{id});
  }

  static size_t entries(const std::filesystem::path& x) {
    if (!std::filesystem::exists(x))
      return 0;
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator{x}, {}));
  }
};

} // namespace

TEST_F(ServiceSystem, MakesAvatarsFromUploadsOneJobAfterTheOther) {
  auto system = service_system{config, parts()};
  auto anna = upload(system, "anna");
  auto ben = upload(system, "ben");
  ASSERT_TRUE(anna) << detail_of(anna.error());
  ASSERT_TRUE(ben);
  for (const auto* x : {&anna, &ben}) {
    auto end = await_end(system, (*x)->record.job_id);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->record.state, job_state::completed) << end->record.failure.detail;
    EXPECT_EQ(end->record.weights, "synthetic");
    EXPECT_EQ(end->record.version, "v000001");
  }
  // 2 N pictures: the second half is the first one backwards.
  EXPECT_EQ(entries(layout.link("anna") / "full_imgs"), 10u);
  EXPECT_TRUE(std::filesystem::exists(layout.link("ben") / "latents.pt"));
  auto known = ask<pipeline::avatar>(system, system.registry(), atom::look_v, avatar_id{"anna"});
  EXPECT_EQ(known->current_version, "v000001");
  EXPECT_TRUE(system.stop(30s));
  EXPECT_EQ(entries(layout.root / ".staging"), 0u);
  EXPECT_EQ(entries(layout.root / ".uploads"), 0u);
}

TEST_F(ServiceSystem, LeavesNoHalfAvatarWhenItStopsAndFinishesTheJobAfterTheNextStart) {
  auto pulled = std::promise<void>{};
  first_pull = &pulled;
  frames = -1;
  auto id = std::string{};
  {
    auto system = service_system{config, parts()};
    id = upload(system, "anna")->record.job_id;
    pulled.get_future().wait();
    EXPECT_TRUE(system.stop(30s));
    EXPECT_TRUE(system.stop(30s));
    EXPECT_FALSE(system.registry());
    EXPECT_FALSE(system.uploads());
  }
  EXPECT_EQ(entries(layout.root / ".staging"), 0u);
  EXPECT_FALSE(std::filesystem::exists(layout.link("anna")));
  // The upload is still needed.
  EXPECT_EQ(entries(layout.root / ".uploads"), 1u);
  EXPECT_EQ(pipeline::open_sqlite_catalog(layout.catalog())->find_job(id)->state,
            job_state::running);
  frames = 3;
  auto system = service_system{config, parts()};
  auto end = await_end(system, id);
  ASSERT_TRUE(end) << detail_of(end.error());
  EXPECT_EQ(end->record.state, job_state::completed);
  EXPECT_EQ(end->record.attempt, 2u);
  EXPECT_EQ(entries(layout.link("anna") / "full_imgs"), 6u);
}

TEST_F(ServiceSystem, CancelsARunningJobAndRemovesItsAvatarByForce) {
  auto pulled = std::promise<void>{};
  first_pull = &pulled;
  frames = -1;
  auto system = service_system{config, parts()};
  auto id = upload(system, "anna")->record.job_id;
  pulled.get_future().wait();
  auto busy = ask<avatar_id>(system, system.registry(), atom::remove_v, avatar_id{"anna"}, false,
                             std::string{});
  EXPECT_EQ(code_of(busy.error()), errc::avatar_busy);
  auto removed = ask<avatar_id>(system, system.registry(), atom::remove_v, avatar_id{"anna"}, true,
                                std::string{});
  ASSERT_TRUE(removed) << detail_of(removed.error());
  EXPECT_EQ(await_end(system, id)->record.state, job_state::cancelled);
  EXPECT_EQ(entries(layout.root / ".staging"), 0u);
  system.stop(30s);
  EXPECT_EQ(entries(layout.root / ".uploads"), 0u);
}

// -- a clip that waits for the device ------------------------------------------------------

TEST_F(ServiceSystem, StopsWhileAClipWaitsForTheDeviceAndFinishesTheJobAfterTheNextStart) {
  auto found = std::promise<void>{};
  auto go_on = std::promise<void>{};
  mood.found = &found;
  mood.held_until = go_on.get_future().share();
  auto id = std::string{};
  {
    auto system = service_system{config, parts()};
    id = upload(system, "anna")->record.job_id;
    found.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { return system.stop(30s); });
    go_on.set_value();
    EXPECT_TRUE(stopped.get());
  }
  EXPECT_EQ(entries(layout.root / ".staging"), 0u);
  auto system = service_system{config, parts()};
  auto end = await_end(system, id);
  ASSERT_TRUE(end) << detail_of(end.error());
  EXPECT_EQ(end->record.state, job_state::completed) << end->record.failure.detail;
}

TEST_F(ServiceSystem, CancelsAJobWhoseClipWaitsForTheDevice) {
  auto found = std::promise<void>{};
  auto go_on = std::promise<void>{};
  mood.found = &found;
  mood.held_until = go_on.get_future().share();
  frames = -1;
  auto system = service_system{config, parts()};
  auto id = upload(system, "anna")->record.job_id;
  found.get_future().wait();
  auto cancelled =
      ask<job_view>(system, system.registry(), atom::cancel_v, job_id{id}, pipeline::request_key{});
  ASSERT_TRUE(cancelled) << detail_of(cancelled.error());
  go_on.set_value();
  EXPECT_EQ(await_end(system, id)->record.state, job_state::cancelled);
  EXPECT_EQ(entries(layout.root / ".staging"), 0u);
}

TEST_F(ServiceSystem, EndsWhenTheDeviceIsLostAndFinishesTheJobAfterTheNextStart) {
  frames = -1;
  mood.dies_at = 3;
  auto id = std::string{};
  {
    auto system = service_system{config, parts()};
    id = upload(system, "anna")->record.job_id;
    EXPECT_THAT(fatal.get_future().get(), HasSubstr("is lost"));
    EXPECT_TRUE(system.stop(30s));
  }
  EXPECT_EQ(pipeline::open_sqlite_catalog(layout.catalog())->find_job(id)->state,
            job_state::running);
  fatal = {};
  mood.dies_at = 0;
  frames = 3;
  auto system = service_system{config, parts()};
  auto end = await_end(system, id);
  ASSERT_TRUE(end) << detail_of(end.error());
  EXPECT_EQ(end->record.state, job_state::completed) << end->record.failure.detail;
  EXPECT_EQ(end->record.attempt, 2u);
}

TEST_F(ServiceSystem, TellsThatItsNetworksCannotBeLoaded) {
  auto broken = parts();
  broken.make_networks = []() -> std::unique_ptr<pipeline::device_networks> {
    throw error(errc::models_invalid, "vae.bin is not what the network needs.");
  };
  auto system = service_system{config, broken};
  EXPECT_THAT(fatal.get_future().get(), HasSubstr("vae.bin"));
  EXPECT_TRUE(system.stop(30s));
}

TEST_F(ServiceSystem, StartsWithoutWeightsAndRefusesJobsWithTheirList) {
  config.missing_models = {"sd-vae/config.json"};
  auto unused = parts();
  unused.make_networks = []() -> std::unique_ptr<pipeline::device_networks> {
    ADD_FAILURE() << "loaded what is not there";
    return nullptr;
  };
  auto system = service_system{config, unused};
  auto refused = upload(system, "anna");
  EXPECT_EQ(code_of(refused.error()), errc::models_missing);
  EXPECT_THAT(detail_of(refused.error()), HasSubstr("sd-vae/config.json"));
  auto status = ask<queue_status>(system, system.registry(), atom::status_v);
  EXPECT_FALSE(status->device.ready);
}

TEST_F(ServiceSystem, DoesNotStartOnAStoreThatItCannotOpen) {
  std::ofstream{layout.root} << "a file where the folder should be";
  EXPECT_THROW(service_system(config, parts()), error);
}
