#pragma once

#include "pipeline/job.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Something in the store or the catalog that should not be.
struct store_finding {
  std::string code;   ///< Such as `version.file_missing`; docs/recovery.md lists all.
  std::string object; ///< Such as `anna/v000002` or a job's id. No paths outside the store.
  std::string what;   ///< A sentence.
  std::string remedy; ///< What to do.
  bool heals = false; ///< The next start of the service mends it by itself.

  friend bool operator==(const store_finding&, const store_finding&) = default;
};

/// What the catalog says that the disk must hold, at one moment.
struct store_claims {
  std::vector<avatar> avatars;
  std::vector<stored_video> videos;
  std::set<std::string> jobs;    ///< Ids of those that have not ended.
  std::set<std::string> uploads; ///< Ids of those that jobs still need or may need again.
  std::set<std::string> waiting; ///< Of these, the ones that a job will surely read.
  /// While a service runs: an upload that no job has is an orphan when it has stood still so long.
  std::chrono::seconds upload_idle{600};
  std::vector<store_finding> findings; ///< What is wrong inside the catalog itself.
};

/// What a check saw.
struct store_report {
  uint64_t avatars = 0;
  uint64_t versions = 0;
  uint64_t files = 0;
  uint64_t bytes = 0; ///< That were read for their checksums; 0 unless deep.
  bool deep = false;
  bool cut = false; ///< There are more findings than are listed.
  std::vector<store_finding> findings;
};

} // namespace musetalk::pipeline
