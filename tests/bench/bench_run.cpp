#include "tests/bench/bench_run.hpp"

#include "pipeline/avatar_store.hpp"
#include "pipeline/box_rule.hpp"
#include "pipeline/clip_reader.hpp"
#include "pipeline/face_crop.hpp"
#include "pipeline/face_mask.hpp"
#include "pipeline/face_tracker.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <sys/resource.h>
#include <thread>

namespace musetalk::bench {

using namespace pipeline;

namespace {

constexpr int32_t batch_frames = 8;
constexpr size_t batches_in_flight = 4;

using clock = std::chrono::steady_clock;

double since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// Processor time of this process so far.
double cpu_now() {
  auto used = rusage{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& x) {
    return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Hands batches from one thread to the other; the giver waits while it is full.
class batch_queue {
public:
  /// False when the taker has gone.
  bool put(prepared_batch x) {
    auto lock = std::unique_lock{mutex_};
    changed_.wait(lock, [&] { return items_.size() < batches_in_flight || closed_; });
    if (closed_)
      return false;
    items_.push_back(std::move(x));
    changed_.notify_all();
    return true;
  }

  prepared_batch take() {
    auto lock = std::unique_lock{mutex_};
    changed_.wait(lock, [&] { return !items_.empty() || failure_; });
    if (items_.empty())
      std::rethrow_exception(failure_);
    auto result = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return result;
  }

  void fail(std::exception_ptr failure) {
    const auto lock = std::lock_guard{mutex_};
    failure_ = std::move(failure);
    changed_.notify_all();
  }

  void close() {
    const auto lock = std::lock_guard{mutex_};
    closed_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<prepared_batch> items_;
  std::exception_ptr failure_;
  bool closed_ = false;
};

using batch_source = std::function<prepared_batch()>;

/// Finds the faces beforehand, then prepares without any network.
class known_faces {
public:
  known_faces(const std::filesystem::path& clip, const prepare_config& config)
      : clip_(clip), config_(config) {
    auto tracker = face_tracker{config.face_models_dir};
    auto reader = clip_reader{clip, {config.limits, config.max_damaged_share, config.threads}};
    while (reader.advance()) {
      const auto picture = reader.picture();
      auto found = tracker.process(picture);
      if (!found || !apply_box_rule(found->landmarks, std::nullopt, picture.width, picture.height))
        throw std::runtime_error("a frame of the clip shows no face");
      faces_.push_back(std::move(*found));
    }
  }

  void open() { reader_.emplace(clip_, read_config{config_.limits, 1., config_.threads}); }

  prepared_batch next() {
    auto result = prepared_batch{};
    while (std::ssize(result.frames) < batch_frames) {
      auto begin = clock::now();
      const auto more = reader_->advance();
      auto picture = more ? reader_->picture() : image{};
      busy_s["decode"] += since(begin);
      if (!more) {
        result.last = true;
        break;
      }
      const auto& found = faces_[static_cast<size_t>(reader_->index())];
      const auto ruled =
          *apply_box_rule(found.landmarks, std::nullopt, picture.width, picture.height);
      begin = clock::now();
      auto crop = crop_face(picture, ruled.clamped);
      busy_s["crop"] += since(begin);
      begin = clock::now();
      auto mask = mask_from_face(found, ruled.whole, picture.width, picture.height);
      busy_s["mask"] += since(begin);
      result.frames.push_back({{reader_->index(), std::move(picture)},
                               ruled.clamped,
                               std::move(crop),
                               mask.place,
                               std::move(mask.mask),
                               false,
                               found});
    }
    return result;
  }

  std::map<std::string, double> busy_s;

private:
  std::filesystem::path clip_;
  prepare_config config_;
  std::vector<face> faces_;
  std::optional<clip_reader> reader_;
};

std::map<std::string, double> by_name(const prepare_times& x) {
  return {{"decode", x.decode_s}, {"colour", x.colour_s}, {"convert", x.convert_s},
          {"detect", x.detect_s}, {"crop", x.crop_s},     {"mask", x.mask_s}};
}

run_result write_all(version_writer& writer, const batch_source& source) {
  auto result = run_result{};
  auto queue = batch_queue{};
  const auto no_latent =
      latent{std::make_shared<const std::vector<uint16_t>>(size_t{8} * 32 * 32, uint16_t{0})};
  const auto begin = clock::now();
  const auto cpu_before = cpu_now();
  auto preparing = std::jthread{[&] {
    try {
      for (auto last = false; !last;) {
        auto batch = source();
        last = batch.last;
        if (!queue.put(std::move(batch)))
          return;
      }
    } catch (...) {
      queue.fail(std::current_exception());
    }
  }};
  // A writer that throws must not leave the other thread waiting.
  struct closer {
    batch_queue& queue;
    ~closer() { queue.close(); }
  };
  const auto closing = closer{queue};
  for (auto last = false; !last;) {
    const auto batch = queue.take();
    last = batch.last;
    const auto writing = clock::now();
    writer.write(batch.frames, std::vector<latent>(batch.frames.size(), no_latent));
    result.busy_s["write"] += since(writing);
    result.frames += std::ssize(batch.frames);
  }
  preparing.join();
  result.stream_s = since(begin);
  result.cpu_s = cpu_now() - cpu_before;
  return result;
}

} // namespace

run_result run(run_mode mode, const std::filesystem::path& clip, const std::filesystem::path& root,
               const prepare_config& config) {
  const auto store = open_avatar_store(root);
  auto plan = version_plan{};
  plan.job_id = "bench";
  plan.avatar_id = "bench";
  plan.engine = "native";
  plan.weights = "synthetic";
  plan.video_name = clip.filename().string();
  const auto writer = store->begin(plan);
  const auto video = writer->folder() / "video.mp4";
  auto result = run_result{};
  auto prepared = std::map<std::string, double>{};
  if (mode == run_mode::full) {
    auto preparer = std::unique_ptr<clip_preparer>{};
    result = write_all(*writer, [&] {
      if (!preparer)
        preparer = open_clip({clip, video, false, false}, config);
      return preparer->next(batch_frames);
    });
    prepared = by_name(preparer->times());
  } else {
    auto faces = known_faces{clip, config};
    std::filesystem::copy_file(clip, video);
    result = write_all(*writer, [&, opened = false]() mutable {
      if (!opened)
        faces.open();
      opened = true;
      return faces.next();
    });
    prepared = faces.busy_s;
  }
  result.busy_s.merge(prepared);
  auto begin = clock::now();
  writer->verify();
  result.verify_s = since(begin);
  begin = clock::now();
  writer->publish();
  result.publish_s = since(begin);
  return result;
}

} // namespace musetalk::bench
