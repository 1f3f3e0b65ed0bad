#include "pipeline/version_writer.hpp"

#include "errors/error.hpp"
#include "pipeline/avatar_check.hpp"
#include "pipeline/box_pickle.hpp"
#include "pipeline/clip_reader.hpp"
#include "pipeline/contact_sheet.hpp"
#include "pipeline/failpoint.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/latents_writer.hpp"
#include "pipeline/place_version.hpp"
#include "pipeline/png_writer.hpp"
#include "pipeline/preview.hpp"
#include "pipeline/stop.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/time.hpp"
#include "pipeline/version_manifest.hpp"
#include "pipeline/worker_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <thread>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

/// `full_imgs/00000007.png`.
std::string picture_name(const char* folder, int64_t number) {
  char text[48];
  std::snprintf(text, sizeof text, "%s/%08lld.png", folder, static_cast<long long>(number));
  return text;
}

std::vector<box> palindrome(const std::vector<box>& boxes) {
  auto result = boxes;
  result.insert(result.end(), boxes.rbegin(), boxes.rend());
  return result;
}

/// Threads beside the writer's own that encode pictures.
size_t helper_count() {
  return std::clamp(std::thread::hardware_concurrency(), 1u, 4u) - 1;
}

/// Of a video that this service wrote. @throws error `avatar_damaged`.
image first_picture(const fs::path& video) {
  try {
    // the limits of uploads were kept before; this is our own file
    auto config = read_config{};
    config.limits = {.max_video_seconds = 1e6,
                     .max_pixels = int64_t{1} << 40,
                     .min_side_pixels = 1,
                     .max_frames = int64_t{1} << 40,
                     .max_probe_seconds = 10.};
    config.threads = 1;
    auto reader = clip_reader{video, config};
    if (reader.advance())
      return reader.picture();
    throw error(errc::avatar_damaged, "video.mp4 has no frame.");
  } catch (const error& problem) {
    throw error(errc::avatar_damaged, "video.mp4 cannot be read back.", problem.what());
  }
}

sheet_config sheet_of(const version_plan& plan) {
  auto config = sheet_config{};
  config.title = plan.avatar_id;
  if (plan.weights == "synthetic")
    config.watermark = "SYNTHETIC WEIGHTS";
  return config;
}

class folder_version_writer : public version_writer {
public:
  folder_version_writer(const store_layout& layout, const version_plan& plan,
                        const std::shared_ptr<disk_budget>& budget,
                        std::unique_ptr<disk_budget::claim> room)
      : layout_(layout), plan_(plan), folder_(layout.staging(plan.job_id)), budget_(budget),
        room_(std::move(room)), pool_(helper_count()), encoders_(pool_.workers()),
        sheet_(sheet_of(plan)) {
    disk_step("staging.clear", folder_);
    remove_tree(folder_);
    disk_step("staging.make", folder_);
    make_folder(folder_);
    failpoint("staging.made");
    // Opened before the first byte is written: syncing it later tells every failed write-back.
    watch_ = file{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder_};
    if (!watch_)
      throw_storage_error(errno, "opening a folder", folder_);
  }

  ~folder_version_writer() override {
    auto ignored = std::error_code{};
    if (!published_)
      fs::remove_all(folder_, ignored);
  }

  const fs::path& folder() const override { return folder_; }

  void write(std::span<const prepared_frame> frames, std::span<const latent> latents) override {
    if (frames.size() != latents.size())
      throw error(errc::internal, "Frames and latents differ in count.");
    if (frames.empty())
      return;
    if (frame_boxes_.empty())
      begin_frames(frames.front());
    auto first = static_cast<int64_t>(frame_boxes_.size());
    for (auto i = size_t{0}; i < frames.size(); ++i)
      if (frames[i].source.index != first + static_cast<int64_t>(i))
        throw error(errc::internal, "Frames came out of order.");
    // pictures and masks are parts of their own; each is written and hashed by who encoded it
    auto sums = std::vector<file_sum>(frames.size() * 2);
    pool_.for_each(sums.size(), [&](size_t part, size_t worker) {
      check_stop(plan_.stop);
      const auto& next = frames[part / 2];
      auto is_mask = part % 2 == 1;
      auto name = picture_name(is_mask ? "mask" : "full_imgs", next.source.index);
      auto bytes = encoders_[worker].encode(is_mask ? next.mask : next.source.picture);
      disk_step("frames.write", folder_);
      sums[part] = write_hashed(folder_ / name, std::as_bytes(std::span{bytes}));
    });
    for (auto i = size_t{0}; i < frames.size(); ++i) {
      auto number = first + static_cast<int64_t>(i);
      files_[picture_name("full_imgs", number)] = std::move(sums[i * 2]);
      files_[picture_name("mask", number)] = std::move(sums[i * 2 + 1]);
      frame_boxes_.push_back(frames[i].face_box);
      mask_boxes_.push_back(frames[i].mask_box);
      disk_step("frames.latent", folder_);
      latents_->append(latents[i]);
      sheet_.add(frames[i]);
    }
    if (room_ && plan_.source.predicted_frames > 0)
      room_->written(static_cast<double>(frame_boxes_.size()) /
                     static_cast<double>(plan_.source.predicted_frames));
  }

  void verify() override {
    auto frames = static_cast<int64_t>(frame_boxes_.size());
    auto source = sum_of_video();
    files_["video.mp4"] = source;
    if (plan_.engine != "mock" || frames > 0) {
      if (frames == 0)
        throw error(errc::avatar_damaged, "Not a single frame was written.");
      end_lists(frames);
      add_file("contact_sheet.jpg", encode_jpeg(sheet_.draw()));
      auto facts = check_written_folder(folder_, frames, plan_.stop);
      result_.width = facts.width;
      result_.height = facts.height;
      result_.duration_s = static_cast<double>(frames) / avatar_frames_per_second;
    } else {
      auto first = first_picture(folder_ / "video.mp4");
      add_file("preview.jpg", preview_jpeg(first));
      result_.width = first.width;
      result_.height = first.height;
      result_.duration_s = plan_.source.duration_s;
    }
    result_.frames = frames;
    if (budget_)
      budget_->measured(plan_.source, frames, picture_bytes(frames));
    failpoint("verify.done");
    verified_ = true;
  }

  avatar_version publish() override {
    if (!verified_)
      throw error(errc::internal, "A version was published before it was verified.");
    result_.version = next_version_name(layout_, plan_.avatar_id);
    result_.created_us = now_us();
    result_.job_id = plan_.job_id;
    result_.engine = plan_.engine;
    result_.weights = plan_.weights;
    result_.video_sha256 = plan_.video_sha256;
    result_.apply_blur = plan_.apply_blur;
    result_.options_key = plan_.options_key;
    auto manifest = version_manifest{
        plan_.avatar_id, plan_.tutor_id, result_, plan_.video_name, plan_.source, {}, plan_.faces};
    disk_step("publish.info", folder_);
    add_text("avatar_info.txt", avatar_info_text(manifest));
    auto video = (layout_.link(plan_.avatar_id) / "video.mp4").string();
    add_text("avator_info.json", avator_info_text(plan_.avatar_id, video));
    manifest.files = files_;
    result_.bytes = stored_bytes(manifest);
    // One call for thousands of files: measured ten times faster than to sync each of them.
    check_stop(plan_.stop);
    disk_step("publish.syncfs", folder_);
    if (::syncfs(watch_.descriptor()) != 0)
      throw_storage_error(errno, "syncing", folder_);
    // The last moment at which it can be called back: the rest is a few names.
    check_stop(plan_.stop);
    disk_step("publish.manifest", folder_);
    // The manifest is last: where it is, everything is.
    auto last = create_file(folder_ / "manifest.json");
    last.write(bytes_of(to_json_text(manifest)));
    disk_step("publish.manifest_sync", folder_);
    last.sync();
    last.close();
    sync_folder(folder_);
    // From here on a start after a crash publishes it.
    failpoint("publish.manifest_done");
    place_version(layout_, plan_.job_id, plan_.avatar_id, result_.version);
    published_ = true;
    return result_;
  }

private:
  void begin_frames(const prepared_frame& first) {
    disk_step("frames.folders", folder_);
    make_folder(folder_ / "full_imgs");
    make_folder(folder_ / "mask");
    latents_ = std::make_unique<latents_writer>(folder_ / "latents.pt");
    add_file("preview.jpg", preview_jpeg(first.source.picture));
  }

  /// The mirrored half of the frames is a second name of the first half.
  void end_lists(int64_t frames) {
    for (auto number = int64_t{0}; number < frames; ++number)
      for (auto kind : {"full_imgs", "mask"}) {
        auto name = picture_name(kind, number);
        auto mirrored = picture_name(kind, frames * 2 - 1 - number);
        check_stop(plan_.stop);
        disk_step("lists.link", folder_);
        link_or_copy(folder_ / name, folder_ / mirrored);
        files_[mirrored] = files_[name];
      }
    disk_step("lists.end", folder_);
    add_text("coords.pkl", pickle_boxes(palindrome(frame_boxes_)));
    add_text("mask_coords.pkl", pickle_boxes(palindrome(mask_boxes_)));
    files_["latents.pt"] = latents_->finish();
  }

  uint64_t picture_bytes(int64_t frames) const {
    auto total = uint64_t{0};
    for (auto number = int64_t{0}; number < frames; ++number)
      for (auto kind : {"full_imgs", "mask"})
        total += files_.at(picture_name(kind, number)).bytes;
    return total;
  }

  file_sum sum_of_video() const {
    disk_step("verify.read", folder_);
    auto path = folder_ / "video.mp4";
    auto reason = std::error_code{};
    auto bytes = fs::file_size(path, reason);
    if (reason || bytes == 0)
      throw error(errc::avatar_damaged, "video.mp4 was not written.", reason.message());
    return {bytes, sha256_of_file(path)};
  }

  void add_text(const std::string& name, const std::string& text) {
    files_[name] = write_hashed(folder_ / name, bytes_of(text));
  }

  void add_file(const std::string& name, const std::vector<uint8_t>& bytes) {
    files_[name] = write_hashed(folder_ / name, std::as_bytes(std::span{bytes}));
  }

  const store_layout& layout_;
  version_plan plan_;
  fs::path folder_;
  std::shared_ptr<disk_budget> budget_;
  std::unique_ptr<disk_budget::claim> room_;
  file watch_;
  worker_pool pool_;
  std::vector<png_encoder> encoders_; // one per worker
  contact_sheet sheet_;
  std::unique_ptr<latents_writer> latents_;
  std::vector<box> frame_boxes_;
  std::vector<box> mask_boxes_;
  std::map<std::string, file_sum> files_;
  avatar_version result_;
  bool verified_ = false;
  bool published_ = false;
};

} // namespace

std::unique_ptr<version_writer> make_version_writer(const store_layout& layout,
                                                    const version_plan& plan,
                                                    const std::shared_ptr<disk_budget>& budget,
                                                    std::unique_ptr<disk_budget::claim> room) {
  return std::make_unique<folder_version_writer>(layout, plan, budget, std::move(room));
}

} // namespace musetalk::pipeline
