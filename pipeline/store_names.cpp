#include "pipeline/store_names.hpp"

#include "pipeline/file_ops.hpp"
#include "pipeline/ids.hpp"

#include <algorithm>
#include <system_error>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr auto adopted = std::string_view{"adopted"};

/// `.store/<avatar_id>/.newest`: the highest number that was ever given, where its version is gone.
fs::path number_file(const store_layout& layout, const std::string& avatar_id) {
  return layout.versions(avatar_id) / ".newest";
}

/// 0 when no number is kept.
uint32_t kept_number(const store_layout& layout, const std::string& avatar_id) {
  constexpr auto most_bytes = uint64_t{64};
  auto file = number_file(layout, avatar_id);
  auto reason = std::error_code{};
  if (!fs::exists(fs::symlink_status(file, reason)))
    return 0;
  auto text = read_file(file, most_bytes);
  return version_number(text.substr(0, text.find('\n'))).value_or(0);
}

} // namespace

occupant occupant_of(const store_layout& layout, const std::string& avatar_id) {
  auto reason = std::error_code{};
  auto status = fs::symlink_status(layout.link(avatar_id), reason);
  switch (status.type()) {
  case fs::file_type::not_found:
    return occupant::nothing;
  case fs::file_type::directory:
    return occupant::folder;
  case fs::file_type::symlink:
    return linked_version(layout, avatar_id) ? occupant::link : occupant::other;
  default:
    return occupant::other;
  }
}

fs::path link_target(const std::string& avatar_id, const std::string& version) {
  return fs::path{".store"} / avatar_id / version;
}

std::optional<std::string> linked_version(const store_layout& layout,
                                          const std::string& avatar_id) {
  auto reason = std::error_code{};
  auto target = fs::read_symlink(layout.link(avatar_id), reason);
  auto version = target.filename().string();
  if (reason || !is_version_name(version) || target != link_target(avatar_id, version))
    return std::nullopt;
  return version;
}

bool is_version_name(const std::string& name) {
  return version_number(name) || is_adopted_name(name);
}

bool is_adopted_name(const std::string& name) {
  if (!name.starts_with(adopted) || name.size() > adopted.size() + 4)
    return false;
  auto rest = name.substr(adopted.size());
  return rest.empty() ||
         (rest.size() >= 2 && rest.front() == '_' &&
          std::all_of(rest.begin() + 1, rest.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

bool older_version(const std::string& a, const std::string& b) {
  return std::pair{version_number(a).value_or(0), a} < std::pair{version_number(b).value_or(0), b};
}

std::string next_version_name(const store_layout& layout, const std::string& avatar_id) {
  auto newest = kept_number(layout, avatar_id);
  auto reason = std::error_code{};
  auto entries = fs::directory_iterator{layout.versions(avatar_id), reason};
  for (; !reason && entries != fs::directory_iterator{}; entries.increment(reason))
    newest = std::max(newest, version_number(entries->path().filename().string()).value_or(0));
  return version_name(newest + 1);
}

void keep_number(const store_layout& layout, const std::string& avatar_id,
                 const std::string& version) {
  auto number = version_number(version).value_or(0);
  if (number <= kept_number(layout, avatar_id) ||
      version_name(number + 1) != next_version_name(layout, avatar_id))
    return;
  auto fresh = layout.staging(avatar_id + ".newest");
  remove_name(fresh);
  auto target = create_file(fresh);
  target.write(bytes_of(version + "\n"));
  target.sync();
  target.close();
  rename_path(fresh, number_file(layout, avatar_id));
  sync_folder(layout.versions(avatar_id));
}

std::string free_adopted_name(const store_layout& layout, const std::string& avatar_id) {
  auto name = std::string{adopted};
  auto reason = std::error_code{};
  for (auto i = 2; fs::symlink_status(layout.version(avatar_id, name), reason).type() !=
                   fs::file_type::not_found;
       ++i)
    name = std::string{adopted} + "_" + std::to_string(i);
  return name;
}

} // namespace musetalk::pipeline
