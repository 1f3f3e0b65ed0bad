#pragma once

#include "pipeline/avatar_store.hpp"
#include "pipeline/store_claims.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace musetalk::pipeline {

struct store_check_options {
  bool deep = false; ///< Reads every file and compares its checksum with the manifest's.
  bool live = false; ///< The service is at work: what its jobs are doing is no fault.
  std::set<std::string> staging{}; ///< Live: jobs that are being written now.
  bool trash_in_use = false;       ///< Live: removed files are still being deleted.
};

/// Compares the store with what the catalog claims, a slice at a time. Reads only.
class store_check {
public:
  /// The first slice, what is in the service's own folders, is looked at here.
  store_check(store_layout layout, std::shared_ptr<const store_claims> claims,
              store_check_options options);
  store_check(const store_check&) = delete;
  store_check& operator=(const store_check&) = delete;

  /// Looks at some hundred names, or reads one file. False when everything was looked at.
  bool step();

  /// What was found; the findings of the claims come first.
  const store_report& report() const { return report_; }

private:
  struct version_look;

  void find(const char* code, std::string object, std::string what, std::string remedy,
            bool heals = false);
  void look_at_staging();
  void look_at_uploads();
  void look_at_trash();
  void look_at_videos();
  void look_at_store();
  void look_at_root();
  void look_at_avatar(const std::string& avatar_id);
  void look_at_link(const std::string& avatar_id, const avatar* claim);
  void look_at_version(const std::string& avatar_id, const std::string& version,
                       const avatar_version* claim);
  void compare(const std::string& object, const avatar_version& claim,
               const avatar_version& written);
  void look_at_files(const std::shared_ptr<version_look>& x);
  void read_file_of(const std::shared_ptr<version_look>& x);
  void look_for_strangers(const version_look& x);
  bool is_at_work(const std::string& job_id) const;
  bool is_in_use(const std::filesystem::path& path) const;

  store_layout layout_;
  std::shared_ptr<const store_claims> claims_;
  store_check_options options_;
  std::set<std::string> names_; ///< Avatars that catalog or disk know.
  std::deque<std::function<void()>> left_;
  store_report report_;
};

/// Runs it to its end.
store_report check_store(const store_layout& layout, const store_claims& claims,
                         const store_check_options& options);

/// Of two looks at a store in use, what both saw: the first may have met a change half-way.
store_report confirmed(store_report first, const store_report& second);

} // namespace musetalk::pipeline
