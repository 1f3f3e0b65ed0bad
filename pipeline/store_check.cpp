#include "pipeline/store_check.hpp"

#include "errors/error.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/version_manifest.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr size_t max_findings = 200;

constexpr auto next_start = "The next start of the service mends it.";

std::vector<std::string> names_in(const fs::path& folder) {
  auto result = std::vector<std::string>{};
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{folder, reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
    result.push_back(entries->path().filename().string());
  std::sort(result.begin(), result.end());
  return result;
}

bool is_folder(const fs::path& path) {
  auto reason = std::error_code{};
  return fs::symlink_status(path, reason).type() == fs::file_type::directory;
}

/// Seconds since anything in an upload changed.
int64_t idle_seconds(const fs::path& folder) {
  auto latest = std::time_t{0};
  for (const auto& path : {folder, folder / "source"}) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0)
      latest = std::max(latest, status.st_mtim.tv_sec);
  }
  return std::time(nullptr) - latest;
}

const avatar_version* version_of(const avatar& x, const std::string& name) {
  auto found = std::find_if(x.versions.begin(), x.versions.end(),
                            [&](const auto& y) { return y.version == name; });
  return found == x.versions.end() ? nullptr : &*found;
}

} // namespace

store_check::store_check(store_layout layout, std::shared_ptr<const store_claims> claims,
                         store_check_options options)
    : layout_(std::move(layout)), claims_(std::move(claims)), options_(std::move(options)) {
  report_.deep = options_.deep;
  report_.findings = claims_->findings;
  look_at_staging();
  look_at_uploads();
  look_at_trash();
  look_at_videos();
  for (const auto& x : claims_->avatars)
    names_.insert(x.avatar_id);
  look_at_store();
  look_at_root();
  for (const auto& name : names_)
    left_.push_back([this, name] { look_at_avatar(name); });
}

bool store_check::step() {
  if (left_.empty())
    return false;
  auto task = std::move(left_.front());
  left_.pop_front();
  task();
  return !left_.empty();
}

void store_check::find(const char* code, std::string object, std::string what, std::string remedy,
                       bool heals) {
  if (report_.findings.size() >= max_findings) {
    report_.cut = true;
    return;
  }
  report_.findings.push_back({code, std::move(object), std::move(what), std::move(remedy), heals});
}

bool store_check::is_at_work(const std::string& job_id) const {
  return options_.live && claims_->jobs.contains(job_id);
}

bool store_check::is_in_use(const fs::path& path) const {
  return options_.live && idle_seconds(path) < claims_->upload_idle.count();
}

// -- the service's own folders ---------------------------------------------------

void store_check::look_at_staging() {
  for (const auto& name : names_in(layout_.root / ".staging"))
    // What is not a job's, such as an import, is told by its age.
    if (!options_.staging.contains(name) && !is_at_work(name) && !is_in_use(layout_.staging(name)))
      find("staging.orphan", ".staging/" + name, "No job writes it any more.", next_start, true);
}

void store_check::look_at_uploads() {
  for (const auto& name : names_in(layout_.root / ".uploads")) {
    if (claims_->uploads.contains(name))
      continue;
    // One that is still arriving has no job yet.
    if (is_in_use(layout_.upload(name)))
      continue;
    find("upload.orphan", ".uploads/" + name, "No job needs it.", next_start, true);
  }
  for (const auto& name : claims_->waiting) {
    auto reason = std::error_code{};
    // A job may have ended since the claims were written down.
    if (!options_.live && !fs::is_regular_file(layout_.upload(name) / "source", reason))
      find("upload.gone", ".uploads/" + name, "A job that has not ended needs it.",
           "The job will fail; send the video again.");
  }
}

void store_check::look_at_trash() {
  if (options_.trash_in_use)
    return;
  for (const auto& name : names_in(layout_.trash()))
    // Somebody may still read it.
    if (!name.starts_with("held-"))
      find("trash.left", ".trash/" + name, "It was removed and not yet deleted.", next_start, true);
}

void store_check::look_at_videos() {
  auto root = layout_.root / ".videos";
  auto listed = std::map<std::string, uint64_t>{};
  for (const auto& x : claims_->videos)
    listed[x.avatar_id + "/" + x.video_id + ".mp4"] = x.bytes;
  for (const auto& avatar_id : names_in(root))
    for (const auto& name : names_in(root / avatar_id)) {
      auto object = avatar_id + "/" + name;
      auto found = listed.extract(object);
      struct stat status {};
      if (!found && !is_at_work(fs::path{name}.stem()))
        find("video.unlisted", ".videos/" + object, "The catalog does not list it.", next_start,
             true);
      else if (found && ::lstat((root / object).c_str(), &status) == 0 &&
               static_cast<uint64_t>(status.st_size) != found.mapped())
        find("video.file_size", ".videos/" + object,
             "It has " + std::to_string(status.st_size) + " bytes; the catalog says " +
                 std::to_string(found.mapped()) + ".",
             "Remove it and have it spoken again.");
    }
  for (const auto& [object, bytes] : listed)
    find("video.gone", ".videos/" + object, "The catalog lists it; its file is not there.",
         "The next start forgets it.", true);
}

void store_check::look_at_store() {
  for (const auto& name : names_in(layout_.root / ".store")) {
    auto path = layout_.versions(name);
    if (name == ".damaged")
      continue;
    if (!is_id(name) || !is_folder(path))
      find("store.stranger", ".store/" + name, "It is no avatar's.",
           "Look who has put it there; the service leaves it alone.");
    else if (names_in(path).empty())
      find("store.empty", ".store/" + name, "It holds no version.", next_start, true);
    else
      names_.insert(name);
  }
}

void store_check::look_at_root() {
  for (const auto& name : names_in(layout_.root))
    if (is_id(name) && occupant_of(layout_, name) == occupant::link)
      names_.insert(name);
}

// -- avatars ----------------------------------------------------------------------

void store_check::look_at_avatar(const std::string& avatar_id) {
  auto found = std::find_if(claims_->avatars.begin(), claims_->avatars.end(),
                            [&](const auto& x) { return x.avatar_id == avatar_id; });
  auto claim = found == claims_->avatars.end() ? nullptr : &*found;
  ++report_.avatars;
  look_at_link(avatar_id, claim);
  auto versions = std::set<std::string>{};
  for (const auto& name : names_in(layout_.versions(avatar_id)))
    // The last number that was given, where its version is gone.
    if (name != ".newest")
      versions.insert(name);
  if (claim)
    for (const auto& x : claim->versions)
      versions.insert(x.version);
  for (const auto& name : versions)
    left_.push_front([this, avatar_id, name, claim] {
      look_at_version(avatar_id, name, claim ? version_of(*claim, name) : nullptr);
    });
}

void store_check::look_at_link(const std::string& avatar_id, const avatar* claim) {
  auto there = occupant_of(layout_, avatar_id);
  auto linked = linked_version(layout_, avatar_id);
  if (there == occupant::link && !is_folder(layout_.version(avatar_id, *linked))) {
    find("link.dangling", avatar_id, "Its link leads to " + *linked + ", which is not there.",
         next_start, true);
    return;
  }
  auto wanted = claim ? claim->current_version : std::string{};
  if (there == occupant::link && *linked != wanted) {
    try {
      auto made_by = is_adopted_name(*linked)
                         ? std::string{}
                         : read_manifest(layout_.version(avatar_id, *linked)).version.job_id;
      if (is_at_work(made_by))
        return;
    } catch (const error&) {
      // the version is looked at for itself
    }
    find("link.other_version", avatar_id,
         "Its link leads to " + *linked + "; the catalog says " +
             (wanted.empty() ? "that there is none." : wanted + "."),
         "The next start takes the link's side.", true);
    return;
  }
  if (wanted.empty() || there == occupant::link)
    return;
  if (there == occupant::folder) {
    if (!is_adopted_name(wanted))
      find("link.folder", avatar_id, "A plain folder stands where its link should be.",
           "Move the folder away if it is not meant; the next start takes it for the avatar.",
           true);
  } else if (there == occupant::nothing) {
    find("link.missing", avatar_id, "Its link is not there.", next_start, true);
  } else {
    find("link.foreign", avatar_id, "A file or foreign link has its name.",
         "Move it away and restart the service.");
  }
}

// -- whole ----------------------------------------------------------------------------

store_report check_store(const store_layout& layout, const store_claims& claims,
                         const store_check_options& options) {
  auto look = store_check{layout, std::make_shared<const store_claims>(claims), options};
  while (look.step()) {
    // nop
  }
  return look.report();
}

store_report confirmed(store_report first, const store_report& second) {
  std::erase_if(first.findings, [&](const store_finding& x) {
    // Only a deep look can see these; a version does not change by the way.
    if (x.code == "version.file_changed" || x.code == "version.file_unreadable")
      return false;
    return std::none_of(second.findings.begin(), second.findings.end(),
                        [&](const auto& y) { return x.code == y.code && x.object == y.object; });
  });
  return first;
}

} // namespace musetalk::pipeline
