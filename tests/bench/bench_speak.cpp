// Measures what speaking costs beside the networks: milliseconds of one core for each 720p frame
// (fetch, resize, blend, hand over to the encoder), blending against the paste of the whole image
// as Pillow does it, and with --jobs the whole way with random networks. Prints JSON.
#include "pipeline/avatar_cycle.hpp"
#include "pipeline/avatar_store.hpp"
#include "pipeline/device_networks.hpp"
#include "pipeline/film.hpp"
#include "pipeline/latents_writer.hpp"
#include "pipeline/speech_source.hpp"
#include "pipeline/threads.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sys/resource.h>

namespace {

using namespace musetalk::pipeline;
using json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int32_t width = 1280;
constexpr int32_t height = 720;
constexpr box face_box{500, 180, 760, 500};
constexpr box mask_box{388, 98, 872, 582}; // the square of half as much again

/// Processor time of this thread: on a busy machine it says more than the clock.
double thread_ms() {
  auto now = timespec{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double wall_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Milliseconds of this thread for one call of many.
double ms_each(int calls, const std::function<void(int)>& call) {
  auto begin = thread_ms();
  for (auto i = 0; i < calls; ++i)
    call(i);
  return (thread_ms() - begin) / calls;
}

image to_picture(const cv::Mat& x) {
  auto pixels = std::vector<uint8_t>(x.datastart, x.dataend);
  return {x.cols, x.rows, x.channels(), share(std::move(pixels))};
}

/// Soft shapes and a little noise: compresses like a film does.
image make_picture(int number) {
  auto pixels = cv::Mat(height, width, CV_8UC3);
  for (auto y = 0; y < height; ++y)
    for (auto x = 0; x < width; ++x)
      pixels.at<cv::Vec3b>(y,
                           x) = {static_cast<uint8_t>(120 + 60 * std::sin((x + 3 * number) / 90.)),
                                 static_cast<uint8_t>(120 + 60 * std::sin(y / 70.)),
                                 static_cast<uint8_t>(120 + 60 * std::sin((x + y) / 110.))};
  auto noise = cv::Mat(height, width, CV_8UC3);
  auto random = cv::RNG{static_cast<uint64_t>(number) + 1};
  random.fill(noise, cv::RNG::UNIFORM, 0, 5);
  pixels += noise;
  return to_picture(pixels);
}

image make_mask() {
  auto side = mask_box.width();
  auto pixels = cv::Mat(side, side, CV_8UC1, cv::Scalar{0});
  cv::ellipse(pixels, {side / 2, side * 6 / 10}, {side / 4, side / 5}, 0, 0, 360, 255, cv::FILLED);
  pixels.rowRange(0, side / 2) = 0;
  cv::GaussianBlur(pixels, pixels, {47, 47}, 0);
  return to_picture(pixels);
}

image make_face() {
  auto pixels = cv::Mat(256, 256, CV_8UC3);
  auto random = cv::RNG{99};
  random.fill(pixels, cv::RNG::UNIFORM, 0, 256);
  return to_picture(pixels);
}

/// An avatar of so many frames below `root`.
fs::path make_avatar(const fs::path& root, int frames) {
  auto store = open_avatar_store(root);
  auto plan = version_plan{};
  plan.job_id = "job1";
  plan.avatar_id = "bench";
  plan.engine = "native";
  plan.weights = "synthetic";
  auto writer = store->begin(plan);
  std::ofstream{writer->folder() / "video.mp4"} << "none";
  auto code = latent{std::make_shared<const std::vector<uint16_t>>(8 * 32 * 32, 0x3400)};
  for (auto i = 0; i < frames; ++i) {
    auto x = prepared_frame{};
    x.source = {i, make_picture(i)};
    x.face_box = face_box;
    x.mask_box = mask_box;
    x.mask = make_mask();
    x.crop = make_face();
    writer->write({&x, 1}, {&code, 1});
  }
  writer->verify();
  writer->publish();
  return store->layout().link("bench");
}

/// A wave file, 16 kHz, that sounds a little like speech.
fs::path make_sound(const fs::path& root, int seconds) {
  auto path = root / (std::to_string(seconds) + ".wav");
  auto samples = std::vector<int16_t>(static_cast<size_t>(seconds) * 16'000);
  for (auto i = size_t{0}; i < samples.size(); ++i) {
    auto t = static_cast<double>(i) / 16'000.;
    samples[i] = static_cast<int16_t>(9000. * std::sin(2 * CV_PI * 180 * t) *
                                      std::max(0., std::sin(2 * CV_PI * 3 * t)));
  }
  auto bytes = static_cast<uint32_t>(samples.size() * 2);
  auto head =
      std::vector<uint32_t>{0x46464952u, 36 + bytes, 0x45564157u, 0x20746d66u, 16u,  0x00010001u,
                            16'000u,     32'000u,    0x00100002u, 0x61746164u, bytes};
  auto out = std::ofstream{path, std::ios::binary};
  out.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(44));
  out.write(reinterpret_cast<const char*>(samples.data()), bytes);
  return path;
}

/// Pillow's paste of the whole crop box through its mask, as MuseTalk calls it: crop the box out
/// of a copy of the frame, put the face into it, paste that onto the frame.
void paste_whole(const image& face, const image& mask, std::vector<uint8_t>& frame) {
  auto picture = cv::Mat{height, width, CV_8UC3, frame.data()};
  auto borrowed =
      cv::Mat{face.height, face.width, CV_8UC3, const_cast<uint8_t*>(face.pixels->data())};
  auto resized = cv::Mat{};
  cv::resize(borrowed, resized, {face_box.width(), face_box.height()}, 0, 0, cv::INTER_LINEAR);
  auto place = cv::Rect{mask_box.left, mask_box.top, mask_box.width(), mask_box.height()};
  auto copy = picture.clone();
  auto large = copy(place).clone();
  resized.copyTo(large(cv::Rect{face_box.left - mask_box.left, face_box.top - mask_box.top,
                                face_box.width(), face_box.height()}));
  for (auto y = 0; y < place.height; ++y) {
    auto* to = picture.ptr(place.y + y) + size_t{3} * place.x;
    const auto* from = large.ptr(y);
    const auto* weight = mask.row(y);
    for (auto x = 0; x < place.width; ++x)
      for (auto c = 0; c < 3; ++c) {
        auto sum = to[3 * x + c] * (255 - weight[x]) + from[3 * x + c] * weight[x] + 128;
        to[3 * x + c] = static_cast<uint8_t>(((sum >> 8) + sum) >> 8);
      }
  }
}

json measure_frames(const fs::path& avatar, const fs::path& sound, const fs::path& root,
                    int calls) {
  auto cycle = avatar_cycle{avatar, uint64_t{1} << 30};
  auto count = static_cast<int>(cycle.frames());
  for (auto i = 0; i < count; ++i)
    cycle.frame_at(i);
  auto fetch = ms_each(calls, [&](int i) { cycle.frame_at(i % count); });
  auto face = make_face();
  auto shown = cycle.frame_at(0);
  auto pixels = *shown.picture.pixels;
  auto ours = ms_each(
      calls, [&](int) { blend_face(face, shown.face_box, shown.area, pixels, width, height); });
  auto whole = make_mask();
  auto theirs = ms_each(calls, [&](int) { paste_whole(face, whole, pixels); });
  // Several threads for x264: what is measured is this thread's share, the hand-over.
  auto plan = film_plan{root / "film.mp4", sound, {calls, width, height, 0.}, {}, true};
  auto film = open_film(plan, {{3600., 30.}, "veryfast", 4});
  auto batch = speech_batch{};
  auto one = speech_frame{};
  one.picture = shown.picture;
  one.face = true;
  one.face_box = shown.face_box;
  one.area = shown.area;
  batch.frames.push_back(std::move(one));
  film->write(batch, {&face, 1}); // opens the encoder
  auto filmed = ms_each(calls, [&](int) { film->write(batch, {&face, 1}); });
  film->finish();
  fs::remove(plan.file);
  return {{"fetch_ms", fetch},
          {"blend_ms", ours},
          {"whole_paste_ms", theirs},
          {"blend_is_faster", theirs / ours},
          {"copy_blend_mark_hand_over_ms", filmed},
          {"per_frame_ms", fetch + filmed}};
}

/// The device without actors.
class direct_ears : public sound_analysis {
public:
  explicit direct_ears(device_networks& networks) : networks_(networks) {}

  std::vector<heard_sound> listen(std::span<const sound_segment> segments) override {
    return networks_.listen(segments);
  }

private:
  device_networks& networks_;
};

json measure_job(const fs::path& avatar, const fs::path& sound, const fs::path& root) {
  auto wanted = networks_config{};
  wanted.synthetic = wanted.speak = true;
  wanted.device = "cpu";
  auto networks = open_device_networks(wanted);
  auto begin = wall_s();
  auto source = open_speech({sound, avatar, {}}, {{3600., 30.}, uint64_t{1} << 30},
                            std::make_shared<direct_ears>(*networks));
  auto film =
      open_film({root / "job.mp4", sound, source->plan(), {}, true}, {{3600., 30.}, "veryfast", 0});
  auto frames = int64_t{0};
  for (auto last = false; !last;) {
    auto batch = source->next(8);
    auto requests = std::vector<lip_request>{};
    for (const auto& x : batch.frames)
      requests.push_back(x.lips);
    film->write(batch, networks->generate(requests));
    frames += std::ssize(batch.frames);
    last = batch.last;
  }
  film->finish();
  fs::remove(root / "job.mp4");
  auto usage = rusage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {{"frames", frames},
          {"frames_per_second", static_cast<double>(frames) / (wall_s() - begin)},
          {"peak_rss_mib", usage.ru_maxrss / 1024}};
}

} // namespace

int main(int argc, char** argv) try {
  auto app = CLI::App{"Measures speaking beside the networks"};
  auto frames = 25;
  auto calls = 200;
  auto jobs = std::vector<int>{};
  auto work = fs::temp_directory_path();
  app.add_option("--frames", frames, "Of the avatar");
  app.add_option("--calls", calls, "Of each function");
  app.add_option("--jobs", jobs, "Whole videos of so many seconds, synthetic networks");
  app.add_option("--work", work, "Folder for files");
  CLI11_PARSE(app, argc, argv);
  set_picture_threads(1);
  auto root = work / ("bench_speak." + std::to_string(::getpid()));
  fs::create_directories(root);
  auto avatar = make_avatar(root / "avatars", frames);
  auto result = json{{"picture", "1280x720"}};
  result["frame"] = measure_frames(avatar, make_sound(root, 10), root, calls);
  for (auto seconds : jobs)
    result["job_" + std::to_string(seconds) + "s"] =
        measure_job(avatar, make_sound(root, seconds), root);
  fs::remove_all(root);
  std::cout << result.dump(2) << '\n';
} catch (const std::exception& x) {
  std::fprintf(stderr, "bench_speak: %s\n", x.what());
  return 1;
}
