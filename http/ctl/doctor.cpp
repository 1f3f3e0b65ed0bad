#include "http/ctl/doctor.hpp"

#include "pipeline/disk.hpp"
#include "pipeline/weights.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace musetalk::http::ctl {

namespace {

using state = finding::state;

/// Less room than this is worth a word: a 30 s avatar at 720p takes about 1 GB.
constexpr auto little_room = uint64_t{2} * 1'000'000'000;

bool is_program(const std::filesystem::path& x) {
  auto fault = std::error_code{};
  return std::filesystem::is_regular_file(x, fault) && ::access(x.c_str(), X_OK) == 0;
}

std::string mode_of(const config::settings& x) {
  if (!x.enable_avatar)
    return "none";
  return x.synthetic() ? "synthetic" : "real";
}

void look_at_settings(const config::loaded_settings& x, std::vector<finding>& out) {
  for (const auto& warning : x.warnings)
    out.push_back({"setting", state::note, warning, "Correct the name in .env."});
  for (const auto& row : x.rows)
    if (row.from != config::origin::fallback)
      out.push_back({"setting " + std::string{row.row->key}, state::good,
                     row.text + " (" + (row.where.empty() ? "default" : row.where) + ")", ""});
}

void look_at_files(const config::settings& x, std::vector<finding>& out) {
  auto status = pipeline::look_at_weights(x.models_dir(), mode_of(x));
  if (status.mode == "none")
    out.push_back({"weights", state::note, "mock mode: nothing is computed",
                   "Set ENABLE_AVATAR=true to make real avatars."});
  if (status.mode == "synthetic")
    out.push_back({"weights", state::note, "synthetic: what is made is of no use",
                   "Set MUSETALKD_WEIGHTS=auto and MUSETALK_BASE to your MuseTalk folder."});
  for (const auto& file : status.files) {
    auto size = file.found_bytes == 0 ? "" : ", " + size_text(file.found_bytes);
    auto needed = file.need == "create" && status.mode == "real";
    auto how = file.usable ? state::good : needed ? state::bad : state::note;
    out.push_back({"weights " + file.path, how,
                   file.state + size + " (" + file.role + ", for " + file.need + ")", file.hint});
  }
}

void look_at_face_networks(const config::settings& x, std::vector<finding>& out) {
  auto fault = std::error_code{};
  auto count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{x.face_models_dir, fault})
    count += entry.path().extension() == ".onnx" ? 1 : 0;
  if (count > 0)
    out.push_back({"face networks", state::good,
                   std::to_string(count) + " in " + x.face_models_dir.string(), ""});
  else
    out.push_back({"face networks", x.enable_avatar ? state::bad : state::note,
                   "none in " + x.face_models_dir.string(),
                   "Run scripts/setup.sh, or set MUSETALKD_FACE_MODELS_DIR."});
}

void look_at_ffmpeg(const config::settings& x, std::vector<finding>& out) {
  auto program = find_program("ffmpeg", x.ffmpeg_path);
  if (program.empty())
    out.push_back({"ffmpeg", state::note, "not found",
                   "The native engine needs none. Otherwise set FFMPEG_PATH."});
  else
    out.push_back(
        {"ffmpeg", state::good, program.string() + " (not needed by the native engine)", ""});
}

void look_at_disk(const config::settings& x, std::vector<finding>& out) {
  auto space = pipeline::disk_space_of(x.avatars_dir);
  if (!space)
    out.push_back({"disk", state::bad, "AVATARS_DIR=" + x.avatars_dir.string() + " cannot be seen",
                   "Make the folder, or set AVATARS_DIR to one that exists."});
  else if (space->free_bytes < little_room)
    out.push_back({"disk", state::note, size_text(space->free_bytes) + " free",
                   "Free space: a 30 s avatar at 720p takes about 1 GB."});
  else
    out.push_back({"disk", state::good,
                   size_text(space->free_bytes) + " free of " + size_text(space->total_bytes), ""});
}

/// The driver lists its cards here; no program has to be run.
void look_at_gpu(const config::settings& x, std::vector<finding>& out) {
  auto fault = std::error_code{};
  auto cards = std::vector<std::string>{};
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/driver/nvidia/gpus", fault}) {
    auto in = std::ifstream{entry.path() / "information"};
    for (auto line = std::string{}; std::getline(in, line);)
      if (line.starts_with("Model:"))
        cards.push_back(line.substr(std::min(line.find_first_not_of(" \t", 6), line.size())));
  }
  auto wanted = x.device.starts_with("cuda");
  if (cards.empty())
    out.push_back({"GPU", wanted ? state::bad : state::note, "none: networks run on the CPU",
                   wanted ? "Install the NVIDIA driver, or set MUSETALKD_DEVICE=auto." : ""});
  for (const auto& card : cards)
    out.push_back({"GPU", state::good, printable(card), ""});
}

void look_at_avatars(const config::settings& x, std::vector<finding>& out) {
  auto fault = std::error_code{};
  auto count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{x.avatars_dir, fault})
    count +=
        entry.is_directory(fault) && !entry.path().filename().string().starts_with('.') ? 1 : 0;
  out.push_back({"avatars on disk", state::good,
                 std::to_string(count) + " in " + x.avatars_dir.string(), ""});
}

std::string text_at(const json& x, const json::json_pointer& where) {
  auto found = x.contains(where) ? x.at(where) : json{};
  return found.is_null() ? "-"
                         : printable(found.is_string() ? found.get<std::string>() : found.dump());
}

std::string mark(state x) {
  return x == state::good ? "ok  " : x == state::note ? "note" : "BAD ";
}

std::string_view name(state x) {
  return x == state::good ? "good" : x == state::note ? "note" : "bad";
}

void show(output& out, const finding& x) {
  auto subject = x.subject;
  subject.resize(std::max<size_t>(subject.size(), 22), ' ');
  auto text = mark(x.how) + "  " + subject + "  " + x.value;
  if (!x.hint.empty())
    text += "\n      -> " + x.hint;
  out.result({{"check", x.subject}, {"state", name(x.how)}, {"value", x.value}, {"hint", x.hint}},
             text);
}

std::string usage_example(const std::string& url) {
  return "\nTo make an avatar of a video and see it:\n"
         "  musetalkctl --url " +
         url +
         " upload teacher.mp4 --id teacher --wait\n"
         "  musetalkctl --url " +
         url +
         " show teacher\n"
         "  curl -o preview.jpg " +
         url + "/mgmt/v1/avatars/teacher/preview.jpg";
}

} // namespace

std::filesystem::path find_program(const std::string& name, const std::filesystem::path& given) {
  if (!given.empty()) {
    for (const auto& x : {given, given / name, given / "bin" / name})
      if (is_program(x))
        return x;
    return {};
  }
  const auto* variable = std::getenv("PATH");
  auto rest = std::string_view{variable == nullptr ? "" : variable};
  while (!rest.empty()) {
    auto end = std::min(rest.find(':'), rest.size());
    auto candidate = std::filesystem::path{rest.substr(0, end)} / name;
    if (end > 0 && is_program(candidate))
      return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

std::vector<finding> look_around(const config::loaded_settings& settings) {
  auto result = std::vector<finding>{};
  const auto& x = settings.values;
  look_at_settings(settings, result);
  look_at_files(x, result);
  look_at_face_networks(x, result);
  look_at_ffmpeg(x, result);
  look_at_disk(x, result);
  look_at_gpu(x, result);
  look_at_avatars(x, result);
  return result;
}

std::vector<finding> look_at_service(api& service) {
  auto result = std::vector<finding>{};
  try {
    auto health = service.get("/health");
    const auto& x = health.body;
    auto status = text_at(x, "/status"_json_pointer);
    result.push_back({"service " + service.url(),
                      health.ok() && status == "ok" ? state::good : state::bad,
                      status + ", mode " + text_at(x, "/mode"_json_pointer) + ", engine " +
                          text_at(x, "/engine"_json_pointer),
                      status == "ok" ? "" : "GET /readyz says what is missing."});
    result.push_back({"its device", state::good,
                      text_at(x, "/device/device"_json_pointer) + " " +
                          text_at(x, "/device/name"_json_pointer) + ", weights " +
                          text_at(x, "/models/weights"_json_pointer),
                      ""});
    result.push_back({"its queue", state::good,
                      text_at(x, "/queue/running"_json_pointer) + " running, " +
                          text_at(x, "/queue/queued"_json_pointer) + " of " +
                          text_at(x, "/queue/limit"_json_pointer) + " waiting",
                      ""});
    auto avatars = service.get("/mgmt/v1/avatars?limit=1");
    result.push_back(
        {"its avatars", state::good, text_at(avatars.body, "/total"_json_pointer), ""});
  } catch (const unreachable& e) {
    result.push_back({"service " + service.url(), state::bad, e.what(),
                      "Start it: scripts/start.sh, or give its address with --url."});
  }
  return result;
}

exit_code doctor(session& with, const config::loaded_settings* settings, const std::string& fault) {
  auto findings = look_at_service(with.service);
  if (settings != nullptr) {
    auto local = look_around(*settings);
    findings.insert(findings.end(), local.begin(), local.end());
  } else {
    findings.push_back({"settings", state::bad, fault, "Correct them in .env or the environment."});
  }
  for (const auto& x : findings)
    show(with.out, x);
  if (with.out.terminal())
    with.out.result({}, usage_example(with.service.url()));
  auto bad = std::any_of(findings.begin(), findings.end(),
                         [](const auto& x) { return x.how == state::bad; });
  return bad ? exit_code::unwell : exit_code::ok;
}

} // namespace musetalk::http::ctl
