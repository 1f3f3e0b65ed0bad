#pragma once

#include "actors/preprocessor.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/device_networks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace musetalk::tests {

/// What the fakes have seen, and how they shall behave.
struct fake_world {
  std::vector<std::string> log;       ///< Steps, in order.
  int64_t frames = 6;                 ///< Of every clip.
  std::map<std::string, errc> faults; ///< A step's name to what it throws.
  std::set<std::string> staging;      ///< Job ids with a staging folder.
  std::set<std::string> uploads;      ///< Upload ids with a folder.
  std::map<std::string, std::vector<pipeline::avatar_version>> published; ///< By avatar.
  std::map<std::string, std::vector<int64_t>> written;                    ///< Frames, by job.
  std::set<std::string> open_clips;                                       ///< Their sources.
  int64_t pulled = 0;                                                     ///< Batches.
  size_t trash = 0;                        ///< Files of what was removed.
  size_t trash_each = 0;                   ///< So many of each that is removed.
  size_t most_swept = 0;                   ///< In one go.
  std::string video_sha256 = "abc";        ///< Of files below a root.
  std::vector<std::string> kept_uploads;   ///< That recovery was told to keep.
  std::string current_afterwards;          ///< Of an avatar of which a version was set aside.
  std::vector<std::string> needed_staging; ///< As `expire` was last told.
  std::vector<std::string> needed_uploads;

  void step(const std::string& name) {
    log.push_back(name);
    if (auto found = faults.find(name); found != faults.end())
      throw error(found->second, "The step " + name + " failed.");
  }
};

class fake_writer : public pipeline::version_writer {
public:
  fake_writer(fake_world& world, pipeline::version_plan plan)
      : world_(world), plan_(std::move(plan)), folder_("/staging/" + plan_.job_id) {
    world_.staging.insert(plan_.job_id);
  }

  ~fake_writer() override {
    if (!published_)
      world_.staging.erase(plan_.job_id);
  }

  const std::filesystem::path& folder() const override { return folder_; }

  void write(std::span<const pipeline::prepared_frame> frames,
             std::span<const pipeline::latent> latents) override {
    world_.step("write");
    EXPECT_EQ(frames.size(), latents.size());
    for (size_t i = 0; i < frames.size(); ++i) {
      // Every frame has its own latent: the fake device marks it with the frame's index.
      EXPECT_EQ(latents[i].half_bits->at(0), frames[i].source.index);
      world_.written[plan_.job_id].push_back(frames[i].source.index);
    }
  }

  void verify() override { world_.step("verify"); }

  pipeline::avatar_version publish() override {
    world_.step("publish");
    published_ = true;
    world_.staging.erase(plan_.job_id);
    auto result = pipeline::avatar_version{};
    auto& versions = world_.published[plan_.avatar_id];
    result.version = "v00000" + std::to_string(versions.size() + 1);
    result.job_id = plan_.job_id;
    result.engine = plan_.engine;
    result.weights = plan_.weights;
    result.video_sha256 = plan_.video_sha256;
    versions.push_back(result);
    return result;
  }

private:
  fake_world& world_;
  pipeline::version_plan plan_;
  std::filesystem::path folder_;
  bool published_ = false;
};

class fake_store : public pipeline::avatar_store {
public:
  explicit fake_store(fake_world& world) : world_(world) { layout_.root = "/avatars"; }

  const pipeline::store_layout& layout() const override { return layout_; }

  pipeline::store_scan recover(std::span<const std::string> kept,
                               std::span<const std::string>) override {
    world_.kept_uploads.assign(kept.begin(), kept.end());
    return {};
  }

  std::unique_ptr<pipeline::version_writer> begin(const pipeline::version_plan& plan) override {
    world_.step("begin");
    return std::make_unique<fake_writer>(world_, plan);
  }

  pipeline::avatar_version link_version(const pipeline::link_plan& plan) override {
    world_.step("link " + plan.from.avatar_id + " " + plan.from.version + " to " + plan.avatar_id);
    auto& versions = world_.published[plan.avatar_id];
    auto result = pipeline::avatar_version{};
    result.version = "v00000" + std::to_string(versions.size() + 1);
    result.job_id = plan.job_id;
    versions.push_back(result);
    return result;
  }

  void remove_avatar(const std::string& avatar_id) override {
    world_.step("remove");
    world_.published.erase(avatar_id);
    world_.trash += world_.trash_each;
  }

  void activate_version(const std::string& avatar_id, const std::string& version) override {
    world_.step("activate " + avatar_id + " " + version);
  }

  void remove_version(const std::string& avatar_id, const std::string& version) override {
    world_.step("remove " + avatar_id + " " + version);
  }

  std::filesystem::path open_staging(const std::string& job_id) override {
    world_.step("begin film");
    world_.staging.insert(job_id);
    return "/staging/" + job_id;
  }

  pipeline::stored_video publish_video(const std::string& job_id,
                                       const std::string& avatar_id) override {
    world_.step("publish film");
    world_.staging.erase(job_id);
    return {avatar_id, job_id, 1000};
  }

  void remove_video(const std::string& avatar_id, const std::string& video_id) override {
    world_.step("remove film " + avatar_id + " " + video_id);
  }

  std::string set_aside_version(const std::string& avatar_id, const std::string& version) override {
    world_.step("set aside " + avatar_id + " " + version);
    return world_.current_afterwards;
  }

  std::vector<std::string> expire(std::span<const std::string> needed_staging,
                                  std::span<const std::string> needed_uploads) override {
    world_.needed_staging.assign(needed_staging.begin(), needed_staging.end());
    world_.needed_uploads.assign(needed_uploads.begin(), needed_uploads.end());
    return {};
  }

  void discard_staging(const std::string& job_id) override {
    world_.step("discard");
    world_.staging.erase(job_id);
  }

  void discard_upload(const std::string& upload_id) override { world_.uploads.erase(upload_id); }

  bool sweep(size_t most) override {
    if (world_.trash == 0)
      return false;
    auto count = std::min(most, world_.trash);
    world_.most_swept = std::max(world_.most_swept, count);
    world_.trash -= count;
    world_.step("sweep");
    return world_.trash > 0;
  }

private:
  fake_world& world_;
  pipeline::store_layout layout_;
};

class fake_preparer : public pipeline::clip_preparer {
public:
  fake_preparer(fake_world& world, pipeline::clip_request request)
      : world_(world), request_(std::move(request)) {
    info_.predicted_frames = world_.frames;
    world_.open_clips.insert(request_.source);
  }

  ~fake_preparer() override { world_.open_clips.erase(request_.source); }

  const pipeline::media_info& info() const override { return info_; }

  pipeline::prepared_batch next(int32_t max_frames) override {
    world_.step("pull");
    ++world_.pulled;
    auto result = pipeline::prepared_batch{};
    for (auto i = 0; i < max_frames && done_ < world_.frames; ++i, ++done_) {
      if (request_.convert_only)
        continue;
      auto frame = pipeline::prepared_frame{};
      frame.source.index = done_;
      frame.crop.width = static_cast<int32_t>(done_);
      result.frames.push_back(frame);
    }
    result.frames_decoded = done_;
    result.last = done_ == world_.frames;
    return result;
  }

private:
  fake_world& world_;
  pipeline::clip_request request_;
  pipeline::media_info info_;
  int64_t done_ = 0;
};

/// Networks that know no faces. Marks every latent with its crop's width, and fails the test when
/// two threads or two executions are inside at once.
class fake_networks : public pipeline::device_networks {
public:
  explicit fake_networks(fake_world& world) : world_(world) {}

  std::vector<pipeline::latent> encode(std::span<const pipeline::image> crops) override {
    EXPECT_EQ(inside_.fetch_add(1), 0);
    auto leave = std::shared_ptr<void>(nullptr, [this](void*) { inside_.fetch_sub(1); });
    world_.step("encode");
    auto result = std::vector<pipeline::latent>{};
    for (const auto& x : crops)
      result.push_back(
          {std::make_shared<const std::vector<uint16_t>>(1, static_cast<uint16_t>(x.width))});
    return result;
  }

  std::vector<pipeline::seen_faces> find_faces(std::span<const pipeline::image> x) override {
    return std::vector<pipeline::seen_faces>(x.size());
  }

  std::vector<pipeline::face_points> locate_points(std::span<const pipeline::image> x) override {
    return std::vector<pipeline::face_points>(x.size());
  }

  std::vector<pipeline::image> parse_faces(std::span<const pipeline::image> x) override {
    return {x.begin(), x.end()};
  }

  std::vector<pipeline::heard_sound>
  listen(std::span<const pipeline::sound_segment> segments) override {
    world_.step("listen");
    return std::vector<pipeline::heard_sound>(segments.size());
  }

  /// Marks every face with the first value of what was heard.
  std::vector<pipeline::image> generate(std::span<const pipeline::lip_request> requests) override {
    world_.step("generate");
    auto result = std::vector<pipeline::image>{};
    for (const auto& x : requests)
      result.push_back({static_cast<int32_t>(x.heard->at(0)), 256, 3, nullptr});
    return result;
  }

  void warm_up(size_t) override {}
  void try_out() override {}

  pipeline::device_report report() const override {
    return {"cpu", "fake", "synthetic", "fp32", 0, ""};
  }

private:
  fake_world& world_;
  std::atomic<int> inside_ = 0;
};

/// Preprocessor parts over the fakes.
inline actors::preprocessor_parts fake_preprocessing(fake_world& world) {
  auto result = actors::preprocessor_parts{};
  result.resolve = [&](const std::string& path, pipeline::job_kind) {
    world.step("resolve");
    return pipeline::spooled_file{"", "/videos/" + path, 7, world.video_sha256};
  };
  result.probe = [&](const std::filesystem::path&, pipeline::job_kind) {
    world.step("probe");
    auto info = pipeline::media_info{};
    info.predicted_frames = world.frames;
    return info;
  };
  result.check_faces = [&](const pipeline::clip_request&, const pipeline::face_analysis_ptr&) {
    world.step("faces");
  };
  result.open_clip = [&](const pipeline::clip_request& x, const pipeline::face_analysis_ptr&) {
    world.step("open");
    return std::make_unique<fake_preparer>(world, x);
  };
  return result;
}

} // namespace musetalk::tests
