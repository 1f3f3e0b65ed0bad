#include "http/ctl/doctor.hpp"
#include "http/ctl/look_at_weights.hpp"
#include "pipeline/disk.hpp"

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

void look_at_settings(const config::loaded_settings& x, std::vector<finding>& out) {
  for (const auto& warning : x.warnings)
    out.push_back({"setting", state::note, warning, "Correct the name in .env."});
  for (const auto& row : x.rows)
    if (row.from != config::origin::fallback)
      out.push_back({"setting " + std::string{row.row->key}, state::good,
                     row.text + " (" + (row.where.empty() ? "default" : row.where) + ")", ""});
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

std::vector<finding> look_around(const config::loaded_settings& settings, const look_options& how) {
  auto result = std::vector<finding>{};
  const auto& x = settings.values;
  look_at_settings(settings, result);
  look_at_weights(x, how, result);
  look_at_face_networks(x, result);
  look_at_ffmpeg(x, result);
  look_at_disk(x, result);
  look_at_gpu(x, result);
  look_at_avatars(x, result);
  return result;
}

} // namespace musetalk::http::ctl
