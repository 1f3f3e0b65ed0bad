// Measures the CPU part of making an avatar: frames per second, milliseconds per frame and stage,
// peak memory. Each run is a process of its own, so that its peak is its own. Prints JSON.
#include "tests/bench/bench_clip.hpp"
#include "tests/bench/bench_run.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace musetalk;
namespace fs = std::filesystem;
using nlohmann::json;

struct options {
  fs::path sample = fs::path{MUSETALK_SOURCE_DIR} / ".deps/media/carphone_pristine.mp4";
  fs::path models = fs::path{MUSETALK_SOURCE_DIR} / ".deps/models/face";
  fs::path work = fs::temp_directory_path();
  std::vector<int> seconds = {10, 30};
  std::vector<std::string> modes = {"full", "no_networks_no_conversion"};
  std::string preset = "veryfast";
  int threads = 0;
};

struct measured {
  json result;
  double peak_mb = 0.;
};

/// Runs `work` in a child process and brings back what it returns.
measured in_child(const std::function<json()>& work) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw std::runtime_error("no pipe");
  const auto child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    auto out = std::string{};
    try {
      out = work().dump();
    } catch (const std::exception& x) {
      out = json{{"error", x.what()}}.dump();
    }
    const auto put = ::write(ends[1], out.data(), out.size());
    ::_exit(put == static_cast<ssize_t>(out.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  auto text = std::string{};
  char part[4096];
  for (auto got = ssize_t{}; (got = ::read(ends[0], part, sizeof part)) > 0;)
    text.append(part, static_cast<size_t>(got));
  ::close(ends[0]);
  auto status = 0;
  auto used = rusage{};
  ::wait4(child, &status, 0, &used);
  auto result = json::parse(text, nullptr, false);
  if (result.is_discarded() || result.contains("error"))
    throw std::runtime_error("a run failed: " + text);
  return {std::move(result), static_cast<double>(used.ru_maxrss) / 1024.};
}

json describe(const bench::run_result& x) {
  return {{"frames", x.frames},     {"stream_s", x.stream_s},   {"cpu_s", x.cpu_s},
          {"verify_s", x.verify_s}, {"publish_s", x.publish_s}, {"busy_s", x.busy_s}};
}

json summary(const std::string& mode, int seconds, const measured& x) {
  const auto frames = x.result["frames"].get<double>();
  const auto stream_s = x.result["stream_s"].get<double>();
  auto stages = json::object();
  for (const auto& [name, busy_s] : x.result["busy_s"].items())
    stages[name] = busy_s.get<double>() * 1000. / frames;
  const auto job_s =
      stream_s + x.result["verify_s"].get<double>() + x.result["publish_s"].get<double>();
  return {{"mode", mode},
          {"clip_s", seconds},
          {"frames", frames},
          {"frames_per_s", frames / stream_s},
          {"ms_per_frame", stream_s * 1000. / frames},
          {"stage_ms_per_frame", stages},
          {"verify_s", x.result["verify_s"]},
          {"publish_s", x.result["publish_s"]},
          {"job_s", job_s},
          {"job_frames_per_s", frames / job_s},
          {"cpu_ms_per_frame", x.result["cpu_s"].get<double>() * 1000. / frames},
          {"peak_rss_mb", x.peak_mb}};
}

std::string processor() {
  auto in = std::ifstream{"/proc/cpuinfo"};
  for (auto line = std::string{}; std::getline(in, line);) {
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

double load() {
  auto x = 0.;
  return ::getloadavg(&x, 1) == 1 ? x : -1.;
}

json measure(const options& given, const fs::path& work) {
  auto config = pipeline::prepare_config{};
  config.face_models_dir = given.models;
  config.threads = given.threads;
  config.x264_preset = given.preset;
  config.limits.max_probe_seconds = 30.;
  auto runs = json::array();
  for (const auto seconds : given.seconds) {
    config.limits.max_video_seconds = seconds;
    config.limits.max_frames = seconds * pipeline::avatar_frames_per_second;
    const auto clip = work / ("clip" + std::to_string(seconds) + ".mp4");
    if (!fs::exists(clip)) {
      in_child([&] {
        bench::write_clip(given.sample, clip, seconds * pipeline::avatar_frames_per_second);
        return json::object();
      });
    }
    for (const auto& mode : given.modes) {
      const auto root = work / "avatars";
      const auto kind = mode == "full" ? bench::run_mode::full : bench::run_mode::no_networks;
      const auto x = in_child([&] { return describe(bench::run(kind, clip, root, config)); });
      fs::remove_all(root);
      runs.push_back(summary(mode, seconds, x));
    }
  }
  return {{"bench", "prepare"},
          {"machine",
           {{"processor", processor()},
            {"cores", std::thread::hardware_concurrency()},
            {"load_1min", load()}}},
          {"picture", "1280x720"},
          {"x264_preset", given.preset},
          {"runs", runs}};
}

} // namespace

int main(int argc, char** argv) {
  auto given = options{};
  auto app = CLI::App{"Measures the CPU part of making an avatar; prints JSON."};
  app.add_option("--sample", given.sample, "A clip of one face");
  app.add_option("--models", given.models, "Folder of the face networks");
  app.add_option("--work", given.work, "Where the avatars are written")
      ->check(CLI::ExistingDirectory);
  app.add_option("--seconds", given.seconds, "Lengths of the clips")->check(CLI::Range(1, 600));
  app.add_option("--modes", given.modes, "What to measure")
      ->check(CLI::IsMember({"full", "no_networks_no_conversion"}));
  app.add_option("--preset", given.preset, "Of x264");
  app.add_option("--threads", given.threads, "For the codecs; 0 = all cores");
  CLI11_PARSE(app, argc, argv);
  auto name = (given.work / "bench-prepare-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    std::perror("bench_prepare");
    return 1;
  }
  auto status = 0;
  try {
    std::cout << measure(given, name).dump(2) << '\n';
  } catch (const std::exception& x) {
    std::cerr << "bench_prepare: " << x.what() << '\n';
    status = 1;
  }
  fs::remove_all(name);
  return status;
}
