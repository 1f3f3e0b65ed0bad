#include "pipeline/hash_memory.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"
#include "pipeline/sha256.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace musetalk::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr uint64_t max_memory_bytes = 256 << 10;
constexpr size_t max_entries = 64;
constexpr int format = 1;
constexpr uint64_t progress_step = 16 << 20;

int64_t nanoseconds(const timespec& x) {
  return static_cast<int64_t>(x.tv_sec) * 1'000'000'000 + x.tv_nsec;
}

std::optional<hash_memory::identity> identity_of(const fs::path& file) {
  auto reason = std::error_code{};
  auto path = fs::canonical(file, reason);
  struct stat status {};
  if (reason || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  return hash_memory::identity{path.string(),
                               status.st_dev,
                               status.st_ino,
                               static_cast<uint64_t>(status.st_size),
                               nanoseconds(status.st_mtim),
                               nanoseconds(status.st_ctim)};
}

bool is_sum(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Whether nobody but this user can have written an open file.
bool is_own(const file& x) {
  struct stat status {};
  return ::fstat(x.descriptor(), &status) == 0 && status.st_uid == ::geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::string own_text(const fs::path& path) {
  auto source = open_for_reading(path);
  auto size = source.size();
  if (size > max_memory_bytes || !is_own(source))
    return {};
  auto text = std::string(size, '\0');
  return source.read_at(0, std::as_writable_bytes(std::span{text.data(), size})) ? text : "";
}

json to_json(const hash_memory::entry& x) {
  return {{"device", x.of.device},           {"inode", x.of.inode},           {"bytes", x.of.bytes},
          {"modified_ns", x.of.modified_ns}, {"changed_ns", x.of.changed_ns}, {"sha256", x.sha256}};
}

hash_memory::entry entry_of(const std::string& path, const json& x) {
  return {{path, x.at("device").get<uint64_t>(), x.at("inode").get<uint64_t>(),
           x.at("bytes").get<uint64_t>(), x.at("modified_ns").get<int64_t>(),
           x.at("changed_ns").get<int64_t>()},
          x.at("sha256").get<std::string>()};
}

/// The old file or the new one, never half of one.
void replace_file(const fs::path& path, const std::string& text) {
  auto fresh = fs::path{path.string() + "." + new_job_id()};
  try {
    write_file(fresh, bytes_of(text));
    rename_path(fresh, path);
  } catch (...) {
    auto ignored = std::error_code{};
    fs::remove(fresh, ignored);
    throw;
  }
}

std::string read_whole(const fs::path& path, const hash_progress& progress) {
  auto source = open_for_reading(path);
  if (!progress)
    return sha256_of(source);
  auto total = source.size();
  auto read = uint64_t{0};
  auto told = uint64_t{0};
  auto sum = sha256_of(source, [&](uint64_t done) {
    read = done;
    if (done < total && done - told >= progress_step)
      progress(told = done, total);
  });
  progress(read, std::max(read, total));
  return sum;
}

} // namespace

hash_memory::hash_memory(fs::path file) : file_(std::move(file)) {
  // nop
}

std::optional<std::string> hash_memory::recall(const fs::path& file) const {
  auto now = identity_of(file);
  if (!now)
    return std::nullopt;
  auto known = read();
  auto found = known.find(now->path);
  if (found == known.end() || found->second.of != *now)
    return std::nullopt;
  return found->second.sha256;
}

std::string hash_memory::sum_of(const fs::path& file, const hash_progress& progress) {
  if (auto known = recall(file))
    return *known;
  auto before = identity_of(file);
  if (!before)
    throw error(errc::storage_failed, "What should be a file is none.", file.string());
  auto sum = read_whole(before->path, progress);
  // One that was written to meanwhile has no sum worth keeping.
  if (identity_of(file) == before)
    remember({*before, sum});
  return sum;
}

hash_memory::entries hash_memory::read() const {
  auto result = entries{};
  if (file_.empty())
    return result;
  try {
    auto whole = json::parse(own_text(file_), nullptr, false);
    if (!whole.is_object() || whole.value("format", 0) != format)
      return result;
    for (const auto& [path, x] : whole.at("files").items())
      if (auto one = entry_of(path, x); result.size() < max_entries && is_sum(one.sha256))
        result.emplace(path, std::move(one));
  } catch (const std::exception&) {
    // Not there, or not ours: as if nothing were known.
    result.clear();
  }
  return result;
}

void hash_memory::remember(entry next) const noexcept {
  if (file_.empty())
    return;
  try {
    auto known = read();
    auto path = next.of.path;
    known.insert_or_assign(path, std::move(next));
    if (known.size() > max_entries)
      std::erase_if(known, [](const auto& x) { return identity_of(x.first) != x.second.of; });
    while (known.size() > max_entries)
      known.erase(known.begin()->first == path ? std::next(known.begin()) : known.begin());
    auto files = json::object();
    for (const auto& [name, x] : known)
      files[name] = to_json(x);
    auto text = json{{"format", format}, {"files", std::move(files)}}.dump();
    fs::create_directories(file_.parent_path().parent_path());
    make_folder(file_.parent_path());
    replace_file(file_, text);
  } catch (const std::exception&) {
    // Then it is computed again the next time.
  }
}

fs::path default_hash_memory() {
  for (auto [variable, below] : {std::pair{"XDG_CACHE_HOME", "."}, std::pair{"HOME", ".cache"}}) {
    const auto* value = std::getenv(variable);
    auto folder = fs::path{value == nullptr ? "" : value};
    if (folder.is_absolute())
      return (folder / below / "musetalkd" / "hashes.json").lexically_normal();
  }
  return {};
}

} // namespace musetalk::pipeline
