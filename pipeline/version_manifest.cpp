#include "pipeline/version_manifest.hpp"

#include "errors/error.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/time.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cstdio>

namespace musetalk::pipeline {

namespace {

using json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr auto manifest_format = 1;
constexpr uint64_t max_manifest_bytes = uint64_t{64} << 20;

[[noreturn]] void damaged(const std::string& detail, const std::string& cause = {}) {
  throw error(errc::avatar_damaged, detail, cause);
}

/// True for a path that stays below the folder: `name` or `folder/name`, without dots in front.
bool is_listed_path(const std::string& path) {
  if (path.empty() || path.size() > 255 || path.find('\0') != std::string::npos)
    return false;
  for (const auto& part : fs::path{path})
    if (part.empty() || part == "/" || part.native().front() == '.')
      return false;
  return true;
}

/// Control characters would let a file name forge lines.
std::string printable(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return text;
}

std::string fixed(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// A text that is written into JSON whatever its bytes are.
std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

void read_source(const json& text, media_info& x) {
  x.bytes = text.value("bytes", x.bytes);
  x.container = text.value("container", x.container);
  x.video_codec = text.value("codec", x.video_codec);
  x.width = text.value("width", x.width);
  x.height = text.value("height", x.height);
  x.duration_s = text.value("duration_s", x.duration_s);
  x.frame_rate = text.value("frame_rate", x.frame_rate);
}

template <class Enum>
void read_name(const json& text, const char* key, std::initializer_list<Enum> known, Enum& x) {
  auto name = text.value(key, "");
  for (auto value : known)
    if (to_string(value) == name)
      x = value;
}

void read_faces(const json& text, face_methods& x) {
  if (!text.contains("faces"))
    return;
  const auto& faces = text.at("faces");
  read_name(faces, "backend", {face_backend::mediapipe, face_backend::dwpose}, x.backend);
  read_name(faces, "mask", {mask_source::polygon, mask_source::bisenet}, x.mask);
  read_name(faces, "parsing_mode", {parsing_mode::jaw, parsing_mode::neck, parsing_mode::raw},
            x.mode);
}

} // namespace

std::string to_json_text(const version_manifest& m) {
  const auto& v = m.version;
  auto text = json{};
  text["format"] = manifest_format;
  text["avatar_id"] = m.avatar_id;
  text["tutor_id"] = m.tutor_id;
  text["version"] = v.version;
  text["created"] = to_rfc3339(v.created_us);
  text["job_id"] = v.job_id;
  text["engine"] = v.engine;
  text["weights"] = v.weights;
  text["apply_blur"] = v.apply_blur;
  if (!v.options_key.empty())
    text["options_key"] = v.options_key;
  if (v.engine != "mock")
    text["faces"] = json{{"backend", to_string(m.faces.backend)},
                         {"mask", to_string(m.faces.mask)},
                         {"parsing_mode", to_string(m.faces.mode)}};
  text["layout"] = json{{"order", "palindrome"},   {"frames", v.frames},
                        {"entries", v.frames * 2}, {"frames_per_second", avatar_frames_per_second},
                        {"width", v.width},        {"height", v.height}};
  text["duration_s"] = v.duration_s;
  text["source"] = json{{"name", m.video_name},
                        {"sha256", v.video_sha256},
                        {"bytes", m.source.bytes},
                        {"container", m.source.container},
                        {"codec", m.source.video_codec},
                        {"width", m.source.width},
                        {"height", m.source.height},
                        {"duration_s", m.source.duration_s},
                        {"frame_rate", m.source.frame_rate}};
  auto& files = text["files"] = json::object();
  for (const auto& [path, sum] : m.files)
    files[path] = json{{"bytes", sum.bytes}, {"sha256", sum.sha256}};
  return dump(text, 1) + "\n";
}

version_manifest read_manifest(const fs::path& folder) {
  try {
    auto text = json::parse(read_file(folder / "manifest.json", max_manifest_bytes));
    if (text.at("format").get<int>() != manifest_format)
      damaged("manifest.json has a format that this program does not know.");
    auto m = version_manifest{};
    auto& v = m.version;
    text.at("avatar_id").get_to(m.avatar_id);
    text.at("tutor_id").get_to(m.tutor_id);
    text.at("version").get_to(v.version);
    text.at("job_id").get_to(v.job_id);
    text.at("engine").get_to(v.engine);
    text.at("weights").get_to(v.weights);
    text.at("apply_blur").get_to(v.apply_blur);
    v.options_key = text.value("options_key", "");
    text.at("duration_s").get_to(v.duration_s);
    text.at("layout").at("frames").get_to(v.frames);
    text.at("layout").at("width").get_to(v.width);
    text.at("layout").at("height").get_to(v.height);
    text.at("source").at("sha256").get_to(v.video_sha256);
    text.at("source").at("name").get_to(m.video_name);
    read_source(text.at("source"), m.source);
    read_faces(text, m.faces);
    v.created_us = from_rfc3339(text.at("created").get<std::string>()).value_or(0);
    for (const auto& [path, sum] : text.at("files").items()) {
      if (!is_listed_path(path))
        damaged("manifest.json lists a file outside of its folder.", path);
      m.files[path] = {sum.at("bytes").get<uint64_t>(), sum.at("sha256").get<std::string>()};
    }
    v.bytes = stored_bytes(m);
    return m;
  } catch (const json::exception& problem) {
    damaged("manifest.json is no manifest of an avatar.", problem.what());
  } catch (const error& problem) {
    if (problem.code() == errc::avatar_damaged)
      throw;
    damaged("manifest.json cannot be read.", problem.what());
  }
}

void check_lengths(const fs::path& folder, const version_manifest& manifest) {
  for (const auto& [path, sum] : manifest.files) {
    struct stat status {};
    if (::lstat((folder / path).c_str(), &status) != 0 || !S_ISREG(status.st_mode))
      damaged(path + " is missing.");
    if (static_cast<uint64_t>(status.st_size) != sum.bytes)
      damaged(path + " has " + std::to_string(status.st_size) + " bytes; its manifest says " +
              std::to_string(sum.bytes) + ".");
  }
}

uint64_t stored_bytes(const version_manifest& manifest) {
  auto total = uint64_t{0};
  for (const auto& [path, sum] : manifest.files) {
    // the mirrored half of the frames has no bytes of its own
    auto stem =
        path.find('/') == std::string::npos ? std::string{} : fs::path{path}.stem().string();
    auto number = stem.size() == 8 ? std::strtoll(stem.c_str(), nullptr, 10) : 0;
    if (number < manifest.version.frames || manifest.version.frames == 0)
      total += sum.bytes;
  }
  return total;
}

std::string avator_info_text(const std::string& avatar_id, const std::string& video_path) {
  // as json.dump writes it: ", " and ": ", ASCII only
  auto quoted = [](const std::string& text) {
    return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
  };
  return "{\"avatar_id\": " + quoted(avatar_id) + ", \"video_path\": " + quoted(video_path) +
         ", \"bbox_shift\": 0, \"version\": \"v15\"}";
}

std::string avatar_info_text(const version_manifest& m) {
  const auto& v = m.version;
  auto text = std::string{};
  auto line = [&text](std::string_view key, const std::string& value) {
    text.append(key).append(": ").append(printable(value)).append("\n");
  };
  line("avatar_id", m.avatar_id);
  line("tutor_id", m.tutor_id);
  line("created", to_rfc3339(v.created_us));
  line("engine", v.engine);
  line("weights", v.weights);
  if (v.engine != "mock")
    line("faces", describe(m.faces));
  line("frames", std::to_string(v.frames));
  line("frames_per_second", std::to_string(avatar_frames_per_second));
  line("width", std::to_string(v.width));
  line("height", std::to_string(v.height));
  line("duration_s", fixed(v.duration_s));
  line("apply_blur", v.apply_blur ? "true" : "false");
  line("video_name", m.video_name);
  line("video_sha256", v.video_sha256);
  line("job_id", v.job_id);
  return text;
}

} // namespace musetalk::pipeline
