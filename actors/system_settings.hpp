#pragma once

// From the numbers of the service to those of its actors. For `system.cpp` alone.

#include "actors/device_client.hpp"
#include "actors/gpu_scheduler.hpp"
#include "actors/import_runner.hpp"
#include "actors/janitor.hpp"
#include "actors/musetalk_runner.hpp"
#include "actors/registry.hpp"
#include "actors/speech_runner.hpp"
#include "actors/system.hpp"
#include "actors/upload_receiver.hpp"

#include <caf/actor_system_config.hpp>

namespace musetalk::actors {

/// CAF's own settings.
struct actor_config : caf::actor_system_config {
  explicit actor_config(size_t pool_threads);
};

registry_config registry_settings(const system_config& x);
musetalk_runner_config runner_settings(const system_config& x,
                                       const pipeline::store_layout& layout);
speech_runner_config speech_settings(const system_config& x, const pipeline::store_layout& layout);
gpu_scheduler_config gpu_settings(const system_config& x);
device_client_config client_settings(const system_config& x);
import_runner_config import_settings(const system_config& x, const pipeline::store_layout& layout);
janitor_config janitor_settings(const system_config& x);
upload_receiver_config upload_settings(const system_config& x);

} // namespace musetalk::actors
