#pragma once

#include "actors/interfaces.hpp"
#include "actors/metered.hpp"
#include "http/exchange.hpp"
#include "pipeline/avatar_store.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace musetalk::http {

/// A version of an avatar, to be sent as a tar.
struct export_avatar {
  exchange_ptr to;
  actors::avatar_id id;
  std::string version; ///< Empty: the current one.
};

} // namespace musetalk::http

// These hold a connection, so they cannot leave this process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(musetalk::http::export_avatar)

namespace musetalk::http {

/// The EXPORTER: sends avatars as tars, made while they are sent. Spawn it detached: it reads the
/// disk.
using exporter_actor = caf::typed_actor<
    // 200 with the archive.
    caf::reacts_to<export_avatar>,
    // INTERNAL: reads and sends as far as clients take it.
    caf::reacts_to<actors::atom::next>>;

/// An archive that is being made. Fills the buffer; 0 at the end; throws `error`.
struct export_source {
  uint64_t bytes = 0; ///< Of the whole archive.
  std::function<size_t(std::span<std::byte>)> read;
};

struct exporter_config {
  actors::registry_actor registry;
  pipeline::store_layout store;
  /// Opens the archive of a version's folder; the text names its top folder.
  std::function<export_source(const std::filesystem::path&, const std::string&)> open;
  std::chrono::seconds timeout{30};   ///< Of a question to the REGISTRY.
  size_t max_exports = 8;             ///< At once; one more gets 429.
  size_t piece_bytes = 64 * 1024;     ///< Read in one go.
  size_t most_backlog = 128 * 1024;   ///< Unsent bytes; beyond, the client is waited for.
  std::chrono::milliseconds pause{3}; ///< Until slow clients are looked at again.
};

struct exporter_state {
  struct running {
    std::shared_ptr<stream> to;
    export_source source;
    std::string name; ///< For the log.
  };

  exporter_config config;
  std::list<running> exports;
  size_t opening = 0; ///< Exports that the REGISTRY has not answered yet.
  bool pumping = false;
  std::vector<std::byte> buffer;

  static inline const char* name = "exporter";
};

using exporter_pointer = actors::metered_actor<exporter_actor, exporter_state>*;

exporter_actor::behavior_type exporter(exporter_pointer self, const exporter_config& config);

} // namespace musetalk::http
