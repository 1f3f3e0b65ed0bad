#include "http/ctl/look_at_weights.hpp"

#include "errors/error.hpp"
#include "http/ctl/output.hpp"
#include "pipeline/hash_memory.hpp"
#include "pipeline/weights.hpp"

namespace musetalk::http::ctl {

namespace {

using state = finding::state;

/// Nothing of the layout is nearly as large; what is may be left unread.
constexpr auto most_hashed = uint64_t{16} * 1'000'000'000;

/// The service knows best: settings may come from its environment alone.
std::string mode_now(const config::settings& x, const look_options& how) {
  return how.service_weights.empty() ? x.weights_mode() : how.service_weights;
}

std::optional<finding> word_on_mode(const std::string& mode, const config::settings& x) {
  if (mode == "none")
    return finding{"weights", state::note, "mock mode: nothing is computed",
                   "Set ENABLE_AVATAR=true to make real avatars."};
  if (mode != "synthetic")
    return std::nullopt;
  auto where = std::string{mode == x.weights_mode() ? "" : ", as the service was started"};
  return finding{"weights", state::note, "synthetic" + where + ": what is made is of no use",
                 "Set MUSETALKD_WEIGHTS=auto and MUSETALK_BASE to your MuseTalk folder."};
}

finding describe(const pipeline::weight_file& file, const std::string& mode,
                 const std::string& face_backend) {
  auto to_create =
      file.need == "create" || (file.need == "create-dwpose" && face_backend == "dwpose");
  auto needed = to_create && mode == "real";
  auto result = finding{"weights " + file.path};
  result.how = file.usable ? state::good : needed ? state::bad : state::note;
  result.value = file.state;
  if (!file.found.empty())
    result.value += ", " + size_text(file.found_bytes);
  result.value += " (" + file.role + ", for " + file.need + ")";
  result.hint = file.hint;
  if (!file.usable && to_create && mode == "synthetic") {
    result.value += "; not needed: synthetic";
    result.hint.clear();
  }
  return result;
}

/// Adds the sum, and what it tells.
void add_hash(finding& x, const pipeline::weight_file& file, const look_options& how) {
  if (!how.hash || !file.usable || file.found_bytes > most_hashed)
    return;
  auto name = file.found.filename().string();
  try {
    auto memory = pipeline::hash_memory{how.hash_memory};
    x.sha256 = memory.sum_of(file.found, [&](uint64_t done, uint64_t total) {
      if (how.progress)
        how.progress(name, done, total);
    });
  } catch (const error& e) {
    x.how = std::max(x.how, state::note);
    x.hint = e.detail();
    return;
  }
  if (file.expected_sha256.empty())
    return;
  if (x.sha256 == file.expected_sha256) {
    x.value += "; the published file";
    return;
  }
  // A fine-tuned network often has the very size of the published one.
  if (file.state == "ok") {
    x.how = std::max(x.how, state::note);
    x.value += "; NOT the published file, though of its size";
    x.hint =
        "Fine-tuned by you? Then all is well. Else it is damaged: fetch it again. Published: " +
        file.expected_sha256;
  }
}

} // namespace

void look_at_weights(const config::settings& settings, const look_options& how,
                     std::vector<finding>& findings) {
  auto mode = mode_now(settings, how);
  if (auto word = word_on_mode(mode, settings))
    findings.push_back(*word);
  for (const auto& file : pipeline::look_at_weights(settings.models_dir(), mode).files) {
    auto x = describe(file, mode, settings.face_backend);
    add_hash(x, file, how);
    findings.push_back(std::move(x));
  }
}

} // namespace musetalk::http::ctl
