#include "http/check_store.hpp"

#include "errors/error.hpp"
#include "http/instance_lock.hpp"
#include "pipeline/offline_check.hpp"
#include "pipeline/time.hpp"

namespace musetalk::http {

json to_json(const pipeline::store_report& x) {
  auto result = json{};
  result["sound"] = x.findings.empty();
  result["deep"] = x.deep;
  result["avatars"] = x.avatars;
  result["versions"] = x.versions;
  result["files"] = x.files;
  result["bytes"] = x.bytes;
  auto& findings = result["findings"] = json::array();
  for (const auto& f : x.findings)
    findings.push_back({{"code", f.code},
                        {"object", f.object},
                        {"what", f.what},
                        {"remedy", f.remedy},
                        {"heals", f.heals}});
  result["cut"] = x.cut;
  return result;
}

std::string to_text(const pipeline::store_report& x) {
  auto result = std::string{};
  for (const auto& f : x.findings)
    result += f.code + "  " + f.object + "\n  " + f.what + "\n  " + f.remedy + "\n";
  if (x.cut)
    result += "There is more than is listed here.\n";
  return result + std::to_string(x.avatars) + " avatars, " + std::to_string(x.versions) +
         " versions, " + std::to_string(x.files) + " files" +
         (x.deep ? ", " + std::to_string(x.bytes) + " bytes read" : "") + ": " +
         (x.findings.empty() ? "sound" : std::to_string(x.findings.size()) + " findings") + "\n";
}

pipeline::store_report check_offline(const config::settings& settings, bool deep) {
  const auto& root = settings.avatars_dir;
  // The lock would make the folder.
  auto reason = std::error_code{};
  if (!std::filesystem::is_directory(root, reason))
    throw error{errc::settings_invalid, "AVATARS_DIR=" + root.string() + " is no folder."};
  auto lock = instance_lock{root};
  auto keep = int64_t{settings.keep_failed_seconds} * 1'000'000;
  return pipeline::check_offline(root, pipeline::now_us() - keep, deep);
}

} // namespace musetalk::http
