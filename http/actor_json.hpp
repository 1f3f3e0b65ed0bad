#pragma once

// What the service tells of its actors, its device and its settings. Times as everywhere; durations
// of work in microseconds, because handlers are short.

#include "actors/figures.hpp"
#include "actors/observer.hpp"
#include "config/load.hpp"
#include "http/json.hpp"

#include <vector>

namespace musetalk::http {

/// `{id, name, kind, about, parent, thread, state, depth, max_depth, oldest_ms, messages_per_s,
/// busy, handled, errors, restarts, current, over, last_error}`. `state` is `starting`, `idle`,
/// `working` or `stuck`; `current` is null while idle, else `{type, ms}`.
json to_json(const actors::observed_actor& x);

/// `{at, actor, actor_id, about, kind, message, value, limit, began_at, ended_at}`.
json to_json(const actors::watch_event& x);

/// `{at, limits, actors, ended, events}`.
json actors_json(const actors::observer& x);

/// One actor with `types` and its `history` of `seconds`: lists of one number a second.
/// Null when no such actor is known.
json actor_json(const actors::observer& x, uint64_t id, size_t seconds);

/// `{waiting, executions}`.
json device_json(const actors::figures& x);

/// `{settings: [{key, section, value, origin, where, unit, meaning, default, rule}]}`.
json settings_json(const std::vector<config::resolved_setting>& x);

} // namespace musetalk::http
