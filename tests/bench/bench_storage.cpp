// Measures the disk side: spooling an upload, writing, verifying and publishing a version of 720p
// frames, and start-up with what was published. Prints JSON.
#include "pipeline/avatar_store.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/upload_spool.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>

using namespace musetalk::pipeline;
using json = nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

/// Milliseconds that `work` takes.
template <class Work>
double ms_of(Work&& work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// Milliseconds of processor time of all threads: on a busy machine they tell more than the clock.
template <class Work>
double cpu_ms_of(Work&& work) {
  auto now = [] {
    auto usage = rusage{};
    ::getrusage(RUSAGE_SELF, &usage);
    auto seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    auto micros = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return static_cast<double>(seconds) * 1e3 + static_cast<double>(micros) / 1e3;
  };
  auto begin = now();
  work();
  return now() - begin;
}

int64_t peak_rss_mib() {
  auto usage = rusage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// Compresses like a photograph: about 1 MB at 720p.
image make_picture(int32_t width, int32_t height, int32_t channels, uint32_t seed) {
  auto pixels = std::vector<uint8_t>(static_cast<size_t>(width) * height * channels);
  auto noise = std::minstd_rand{seed};
  for (auto y = 0; y < height; ++y)
    for (auto x = 0; x < width * channels; ++x)
      pixels[static_cast<size_t>(y) * width * channels + x] =
          static_cast<uint8_t>((x / 8 + y / 4) % 200 + (noise() >> 16) % 6);
  return {width, height, channels, share(std::move(pixels))};
}

std::vector<prepared_frame> make_frames() {
  auto frames = std::vector<prepared_frame>(8);
  for (auto i = size_t{0}; i < frames.size(); ++i) {
    auto& x = frames[i];
    auto seed = static_cast<uint32_t>(i + 1);
    x.source.picture = make_picture(1280, 720, 3, seed);
    x.crop = make_picture(crop_size, crop_size, 3, seed);
    x.face_box = {500, 200, 740, 500};
    x.mask_box = {400, 100, 840, 600};
    x.mask = make_picture(440, 500, 1, seed);
  }
  return frames;
}

json measure_spool(const fs::path& root, size_t megabytes) {
  auto piece = std::vector<std::byte>(size_t{1} << 16);
  auto noise = std::minstd_rand{1};
  for (auto& x : piece)
    x = static_cast<std::byte>(noise() >> 16);
  auto before = peak_rss_mib();
  auto spool = upload_spool{root / ".uploads" / "bench", "bench", megabytes << 20};
  auto write_ms = 0.;
  auto cpu_ms = cpu_ms_of([&] {
    write_ms = ms_of([&] {
      for (auto i = size_t{0}; i < megabytes * 16; ++i)
        spool.write(piece);
    });
  });
  auto finish_ms = ms_of([&] { spool.finish(); });
  auto mb = static_cast<double>(megabytes << 20) / 1e6;
  return {{"megabytes", megabytes},
          {"write_ms", write_ms},
          {"sync_ms", finish_ms},
          {"mb_per_cpu_s", mb / cpu_ms * 1000.},
          {"mb_per_s", mb / (write_ms + finish_ms) * 1000.},
          {"rss_growth_mib", peak_rss_mib() - before}};
}

json measure_version(avatar_store& store, int64_t count) {
  auto frames = make_frames();
  auto latent_of = latent{std::make_shared<const std::vector<uint16_t>>(8192, 0x3000)};
  auto latents = std::vector<latent>(frames.size(), latent_of);
  auto plan = version_plan{};
  plan.avatar_id = "bench" + std::to_string(count);
  plan.job_id = "job" + std::to_string(count);
  plan.engine = "native";
  plan.weights = "synthetic";
  auto writer = store.begin(plan);
  write_file(writer->folder() / "video.mp4", bytes_of("video"));
  auto write_ms = 0.;
  auto cpu_ms = cpu_ms_of([&] {
    write_ms = ms_of([&] {
      for (auto first = int64_t{0}; first < count; first += 8) {
        auto part = static_cast<size_t>(std::min<int64_t>(8, count - first));
        for (auto i = size_t{0}; i < part; ++i)
          frames[i].source.index = first + static_cast<int64_t>(i);
        writer->write(std::span{frames}.first(part), std::span{latents}.first(part));
      }
    });
  });
  auto verify_ms = ms_of([&] { writer->verify(); });
  auto version = avatar_version{};
  auto publish_ms = ms_of([&] { version = writer->publish(); });
  return {{"frames", count},
          {"bytes", version.bytes},
          {"write_ms", write_ms},
          {"write_frames_per_s", static_cast<double>(count) / write_ms * 1000.},
          {"write_cpu_ms_per_frame", cpu_ms / static_cast<double>(count)},
          {"verify_ms", verify_ms},
          {"publish_ms", publish_ms},
          {"peak_rss_mib", peak_rss_mib()}};
}

} // namespace

int main(int argc, char** argv) {
  auto app = CLI::App{"Measures spool, avatar store and start-up on the disk of a folder."};
  auto folder = std::string{};
  auto megabytes = size_t{300};
  auto counts = std::vector<int64_t>{120, 750};
  app.add_option("--folder", folder, "Existing folder to work in; a temporary one without it");
  app.add_option("--megabytes", megabytes, "Of the upload")->check(CLI::Range(1, 10'000));
  app.add_option("--frames", counts, "Of each version, 720p")->check(CLI::Range(1, 20'000));
  CLI11_PARSE(app, argc, argv);
  auto pattern = (folder.empty() ? fs::temp_directory_path() : fs::path{folder}) / "bench-XXXXXX";
  auto text = pattern.string();
  if (::mkdtemp(text.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  auto root = fs::path{text};
  auto result = json{{"cores", std::thread::hardware_concurrency()}, {"rss_mib", peak_rss_mib()}};
  {
    auto store = open_avatar_store(root);
    result["spool"] = measure_spool(root, megabytes);
    for (auto count : counts)
      result["versions"].push_back(measure_version(*store, count));
    result["recover_ms"] = ms_of([&] { store->recover({}); });
    result["remove_ms"] =
        ms_of([&] { store->remove_avatar("bench" + std::to_string(counts.back())); });
  }
  fs::remove_all(root);
  std::puts(result.dump(1).c_str());
}
