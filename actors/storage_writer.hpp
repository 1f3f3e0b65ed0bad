#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "pipeline/store_check.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace musetalk::actors {

struct storage_writer_state {
  /// A version on its way.
  struct open_version {
    std::unique_ptr<pipeline::version_writer> writer;
    int64_t frames = 0; ///< Written so far.
  };

  std::shared_ptr<pipeline::avatar_store> store;
  std::map<std::string, open_version> open; ///< By job id. Dropping one removes its staging.
  bool sweeping = false;                    ///< A `tick` is on its way.

  /// A comparison with the catalog that is under way.
  struct check {
    std::unique_ptr<pipeline::store_check> look;
    caf::typed_response_promise<pipeline::store_report> reply;
  };
  std::optional<check> checking;

  static inline const char* name = "storage-writer";
};

using storage_writer_pointer = metered_actor<storage_writer_actor, storage_writer_state>*;

/// Writes, verifies, publishes and removes avatars. What is removed is deleted in slices, between
/// messages, so that thousands of files hold nobody up. What is still in staging when it ends,
/// however it ends, is removed. Spawn it detached: it waits for the disk.
/// @param store Used by this actor alone.
storage_writer_actor::behavior_type
storage_writer(storage_writer_pointer self, const std::shared_ptr<pipeline::avatar_store>& store);

} // namespace musetalk::actors
