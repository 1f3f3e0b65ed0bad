#include "errors/error.hpp"
#include "pipeline/sha256.hpp"
#include "pipeline/store_check.hpp"
#include "pipeline/store_names.hpp"
#include "pipeline/version_manifest.hpp"

#include <sys/stat.h>

#include <map>
#include <type_traits>
#include <utility>

// The part of a check that looks into versions.

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

/// Names that are looked at in one slice: some milliseconds.
constexpr size_t slice = 256;

constexpr auto next_start = "The next start of the service mends it.";
constexpr auto make_again = "Make the avatar again, or activate another version and delete this.";

bool is_folder(const fs::path& path) {
  auto reason = std::error_code{};
  return fs::symlink_status(path, reason).type() == fs::file_type::directory;
}

bool is_link(const fs::path& path) {
  auto reason = std::error_code{};
  return fs::symlink_status(path, reason).type() == fs::file_type::symlink;
}

} // namespace

/// A version whose files are being looked at.
struct store_check::version_look {
  std::string object;
  fs::path folder;
  version_manifest manifest;
  std::map<std::string, file_sum>::const_iterator next;
};

void store_check::look_at_version(const std::string& avatar_id, const std::string& version,
                                  const avatar_version* claim) {
  auto object = avatar_id + "/" + version;
  auto folder = layout_.version(avatar_id, version);
  if (!is_version_name(version)) {
    find("store.stranger", ".store/" + object, "It is no version of an avatar.",
         "Look who has put it there; the service leaves it alone.");
    return;
  }
  ++report_.versions;
  auto plain = is_adopted_name(version) && is_folder(layout_.link(avatar_id)) &&
               !is_link(layout_.link(avatar_id));
  if (!is_folder(folder)) {
    if (claim && !plain)
      find("version.gone", object, "The catalog lists it; its files are not there.",
           "The next start forgets it; restore it from a backup before, if there is one.", true);
    return;
  }
  if (is_adopted_name(version)) {
    // It was made elsewhere and has no manifest to compare with.
    if (!claim)
      find("version.unlisted", object, "The catalog does not list it.", next_start, true);
    return;
  }
  auto look = std::make_shared<version_look>();
  look->object = object;
  look->folder = folder;
  try {
    look->manifest = read_manifest(folder);
  } catch (const error& problem) {
    find("version.half", object, problem.detail(),
         "The next start removes it, or sets it aside in .store/.damaged.", true);
    return;
  }
  const auto& written = look->manifest.version;
  if (claim)
    compare(object, *claim, written);
  else if (!is_at_work(written.job_id))
    find("version.unlisted", object, "The catalog does not list it.", next_start, true);
  look->next = look->manifest.files.begin();
  look_for_strangers(*look);
  left_.push_front([this, look] { look_at_files(look); });
}

void store_check::compare(const std::string& object, const avatar_version& claim,
                          const avatar_version& written) {
  auto differs = [&](const char* name, const auto& a, const auto& b) {
    auto text = [](const auto& x) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(x)>>)
        return std::to_string(x);
      else
        return x;
    };
    if (a != b)
      find("version.row_differs", object,
           std::string{name} + " is " + text(a) + " in the catalog and " + text(b) +
               " in its manifest.",
           "Tell the developers; the files are right.");
  };
  differs("job_id", claim.job_id, written.job_id);
  differs("frames", claim.frames, written.frames);
  differs("bytes", claim.bytes, written.bytes);
  differs("video_sha256", claim.video_sha256, written.video_sha256);
}

void store_check::look_for_strangers(const version_look& x) {
  auto reason = std::error_code{};
  auto entries = fs::recursive_directory_iterator{x.folder, reason};
  for (; !reason && entries != fs::recursive_directory_iterator{}; entries.increment(reason)) {
    auto name = entries->path().lexically_relative(x.folder).string();
    if (is_folder(entries->path()) || name == "manifest.json" || x.manifest.files.contains(name))
      continue;
    find("version.stranger", x.object, "Its manifest does not list " + name + ".",
         "Look who has put it there; versions never change.");
    return;
  }
}

void store_check::look_at_files(const std::shared_ptr<version_look>& x) {
  for (auto i = size_t{0}; i < slice; ++i, ++x->next) {
    if (x->next == x->manifest.files.end()) {
      if (!options_.deep)
        return;
      x->next = x->manifest.files.begin();
      left_.push_front([this, x] { read_file_of(x); });
      return;
    }
    ++report_.files;
    const auto& [name, sum] = *x->next;
    struct stat status {};
    if (::lstat((x->folder / name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
      find("version.file_missing", x->object, name + " is missing.", make_again);
      return;
    }
    if (static_cast<uint64_t>(status.st_size) != sum.bytes) {
      find("version.file_size", x->object,
           name + " has " + std::to_string(status.st_size) + " bytes; its manifest says " +
               std::to_string(sum.bytes) + ".",
           make_again);
      return;
    }
  }
  left_.push_front([this, x] { look_at_files(x); });
}

void store_check::read_file_of(const std::shared_ptr<version_look>& x) {
  if (x->next == x->manifest.files.end())
    return;
  const auto& [name, sum] = *x->next;
  try {
    auto found = sha256_of_file(x->folder / name);
    report_.bytes += sum.bytes;
    if (found != sum.sha256)
      find("version.file_changed", x->object, name + " is not what was written.", make_again);
  } catch (const error& problem) {
    find("version.file_unreadable", x->object, name + ": " + problem.detail(), make_again);
  }
  ++x->next;
  left_.push_front([this, x] { read_file_of(x); });
}

} // namespace musetalk::pipeline
