#include "models/weights.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/checkpoint_formats.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/sha256.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

namespace musetalk::models {

namespace fs = std::filesystem;

namespace {

constexpr size_t head_bytes = 64;
constexpr uint64_t max_config_bytes = 1 << 20;

/// A published file, and where else its content may lie.
struct known_file {
  const char* path;
  const char* role;
  weight_need need;
  uint64_t bytes;
  const char* sha256;
  const char* source; ///< Where to get it.
  const char* probe;  ///< A tensor that only this network has; null for a JSON file.
  const char* twin;   ///< The same weights under another name, below `models_dir`; or null.
  uint64_t twin_bytes;
};

// Sizes and hashes as published with the files.
constexpr known_file known_files[] = {
    {"sd-vae/config.json", "VAE configuration", weight_need::create, 547,
     "92d3dfb746fca211a2c9e019e285f8597412211728dce3c5bcf4eda0f2d62e7e",
     "Hugging Face stabilityai/sd-vae-ft-mse", nullptr, nullptr, 0},
    {"sd-vae/diffusion_pytorch_model.bin", "VAE", weight_need::create, 334'707'217,
     "1b4889b6b1d4ce7ae320a02dedaeff1780ad77d415ea0d744b476155c6377ddc",
     "Hugging Face stabilityai/sd-vae-ft-mse", "encoder.conv_in.weight",
     "sd-vae/diffusion_pytorch_model.safetensors", 334'643'276},
    {"face-parse-bisent/79999_iter.pth", "face parsing (BiSeNet)", weight_need::create_parsing,
     53'289'463, "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
     "Hugging Face ManyOtherFunctions/face-parse-bisent", "cp.resnet.conv1.weight", nullptr, 0},
    {"dwpose/dw-ll_ucoco_384.pth", "face landmarks (DWPose)", weight_need::create_dwpose,
     406'878'486, "0d9408b13cd863c4e95a149dd31232f88f2a12aa6cf8964ed74d7d97748c7a07",
     "Hugging Face yzd-v/DWPose", "backbone.stem.0.conv.weight", nullptr, 0},
    {"s3fd/s3fd-619a316812.pth", "face detection (S3FD)", weight_need::create_dwpose, 89'843'225,
     "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
     "https://www.adrianbulat.com/downloads/python-fan/s3fd-619a316812.pth", "conv1_1.weight",
     "../musetalk/utils/face_detection/detection/sfd/s3fd.pth", 89'843'225},
    {"musetalkV15/musetalk.json", "UNet configuration", weight_need::speak, 748,
     "5b6923aee04d71692e0e9846c471e0a4ea07a4f686d39545e472bd4ba17e1b47",
     "Hugging Face TMElyralab/MuseTalk", nullptr, nullptr, 0},
    {"musetalkV15/unet.pth", "UNet", weight_need::speak, 3'400'074'924,
     "7ebf6c98c181e20838e4c0054e96e944ac60d5d692cc01db42839fe11b787007",
     "Hugging Face TMElyralab/MuseTalk", "time_embedding.linear_1.weight", nullptr, 0},
    {"whisper/config.json", "audio encoder configuration", weight_need::speak, 1'983,
     "ffdccec4f3211f4c63310f2b7098f309fe70f3952cedc5e4d11e43f5b2379b98",
     "Hugging Face openai/whisper-tiny", nullptr, nullptr, 0},
    {"whisper/pytorch_model.bin", "audio encoder (Whisper tiny)", weight_need::speak, 151'095'027,
     "9607f98a2b22d9e229ae43c52ecea79dcede9e0c5cfae67e8da6eda86d8aac1d",
     "Hugging Face openai/whisper-tiny", "model.encoder.conv1.weight", "whisper/model.safetensors",
     0},
    {"whisper/preprocessor_config.json", "audio front end", weight_need::upstream, 0,
     "9b5cd03a36fbb8a627c64d98a5b5b126ead95a77720723944487311f0110b666",
     "Hugging Face openai/whisper-tiny", nullptr, nullptr, 0},
    {"face-parse-bisent/resnet18-5c106cde.pth", "trunk that upstream loads and overwrites",
     weight_need::upstream, 46'827'520,
     "5c106cde386e87d4033832f2996f5493238eda96ccf559d1d62760c4de0613f8",
     "https://download.pytorch.org/models/resnet18-5c106cde.pth", "layer1.0.conv1.weight", nullptr,
     0},
};

std::string head_of(const fs::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  auto text = std::string(head_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

bool is_weight_kind(std::span<const std::byte> head) {
  return looks_like_torch_zip(head) || looks_like_torch_legacy(head) ||
         looks_like_safetensors(head);
}

bool has_network(const checkpoint& source, const std::string& probe) {
  return source.find(probe) || source.find("module." + probe);
}

weight_state state_of_config(const fs::path& file, uint64_t bytes, uint64_t expected) {
  if (bytes == 0)
    return weight_state::truncated;
  if (bytes > max_config_bytes)
    return weight_state::wrong;
  auto in = std::ifstream{file, std::ios::binary};
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  try {
    json_value::parse(text).members();
    return bytes == expected || expected == 0 ? weight_state::ok : weight_state::unknown_size;
  } catch (const error&) {
    return bytes < expected ? weight_state::truncated : weight_state::wrong;
  }
}

weight_state state_of_weights(const fs::path& file, uint64_t bytes, uint64_t expected,
                              const std::string& head, const char* probe) {
  auto start = std::as_bytes(std::span{head});
  auto kind = is_weight_kind(start);
  if (kind && bytes == expected)
    return weight_state::ok;
  // Another size: its own table of contents tells a smaller network from half a file.
  try {
    return has_network(checkpoint::open(file), probe) ? weight_state::unknown_size
                                                      : weight_state::wrong;
  } catch (const error&) {
    return bytes == 0 || (kind && bytes < expected) ? weight_state::truncated : weight_state::wrong;
  }
}

weight_state state_of(const fs::path& file, const known_file& known, uint64_t bytes,
                      uint64_t expected) {
  auto head = head_of(file);
  auto start = std::as_bytes(std::span{head});
  if (bytes > 0 && head.empty())
    return weight_state::unreadable;
  if (looks_like_git_lfs_pointer(start))
    return weight_state::git_lfs_pointer;
  if (looks_like_html(start))
    return weight_state::html;
  return known.probe ? state_of_weights(file, bytes, expected, head, known.probe)
                     : state_of_config(file, bytes, expected);
}

bool usable(weight_state x) {
  return x == weight_state::ok || x == weight_state::unknown_size;
}

std::string hint_for(const weight_file& x, const known_file& known) {
  auto get = std::string{"get it from "} + known.source;
  if (known.bytes > 0)
    get += " (" + std::to_string(known.bytes) + " bytes)";
  switch (x.state) {
  case weight_state::ok:
    return {};
  case weight_state::unknown_size:
    return "not the published file; it is used if its names and shapes fit";
  case weight_state::missing:
    return get;
  case weight_state::truncated:
    return "the download broke off after " + std::to_string(x.found_bytes) + " bytes; " + get;
  case weight_state::wrong:
    return "this is another file; " + get;
  case weight_state::git_lfs_pointer:
    return "run `git lfs pull` in the clone, or " + get;
  case weight_state::html:
    return "a web page was saved instead of the file (login or quota); " + get;
  case weight_state::unreadable:
    return "let the service's user read it";
  }
  return {};
}

weight_file inspect(const fs::path& models_dir, const known_file& known) {
  auto result = weight_file{known.path, known.role, known.need, known.bytes, known.sha256};
  struct place {
    const char* path;
    uint64_t bytes;
  };
  // The first place with a usable file wins; else the first with any file is reported.
  for (auto place : {place{known.path, known.bytes}, place{known.twin, known.twin_bytes}}) {
    if (!place.path)
      continue;
    auto file = models_dir / place.path;
    auto failure = std::error_code{};
    if (!fs::is_regular_file(file, failure))
      continue;
    auto bytes = fs::file_size(file, failure);
    if (failure)
      continue;
    auto state = state_of(file, known, bytes, place.bytes);
    if (result.state != weight_state::missing && !usable(state))
      continue;
    result.found_path = place.path;
    result.found_bytes = bytes;
    result.state = state;
    // A twin in another format has other bytes, and no sum that is known here.
    result.expected_sha256 = place.bytes == known.bytes ? known.sha256 : "";
    if (usable(state))
      break;
  }
  result.hint = hint_for(result, known);
  return result;
}

} // namespace

std::string_view to_string(weight_state x) noexcept {
  switch (x) {
  case weight_state::ok:
    return "ok";
  case weight_state::unknown_size:
    return "unknown size";
  case weight_state::missing:
    return "missing";
  case weight_state::truncated:
    return "truncated";
  case weight_state::wrong:
    return "wrong file";
  case weight_state::git_lfs_pointer:
    return "git-lfs pointer";
  case weight_state::html:
    return "web page";
  case weight_state::unreadable:
    return "unreadable";
  }
  return "unknown";
}

std::string_view to_string(weight_need x) noexcept {
  switch (x) {
  case weight_need::create:
    return "create";
  case weight_need::create_dwpose:
    return "create-dwpose";
  case weight_need::create_parsing:
    return "create-parsing";
  case weight_need::speak:
    return "speak";
  case weight_need::upstream:
    return "upstream";
  }
  return "unknown";
}

bool weights_report::ready_for(weight_need need) const {
  return std::all_of(files.begin(), files.end(),
                     [&](const auto& x) { return x.need != need || usable(x.state); });
}

std::vector<std::string> weights_report::problems(weight_need need) const {
  auto list = std::vector<std::string>{};
  for (const auto& x : files)
    if (x.need == need && !usable(x.state))
      list.push_back(x.path + ": " + std::string{to_string(x.state)});
  return list;
}

weights_report inspect_weights(const fs::path& models_dir) {
  auto report = weights_report{};
  for (const auto& known : known_files)
    report.files.push_back(inspect(models_dir, known));
  return report;
}

std::string sha256_of_file(const fs::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  if (!in)
    throw error{errc::models_missing, "a weight file cannot be opened", file.string()};
  auto hash = sha256{};
  auto buffer = std::vector<char>(size_t{1} << 20);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0)
    hash.update(std::as_bytes(std::span{buffer}.first(static_cast<size_t>(in.gcount()))));
  if (in.bad())
    throw error{errc::models_missing, "a weight file cannot be read", file.string()};
  return hash.finish();
}

} // namespace musetalk::models
