#pragma once

#include "pipeline/job.hpp"

#include <string>
#include <string_view>

namespace musetalk::http {

// How what happens looks as server-sent events (the HTML standard, 9.2). Only what is durable has
// an `id`: a client that comes back with the last one as `Last-Event-ID` misses nothing.

/// The first lines of a stream: how soon a client shall come back.
std::string stream_prelude();

/// `event: state` with the event's sequence as its id.
/// @param data The event as JSON on one line.
std::string event_text(int64_t sequence, std::string_view data);

/// `event: progress`: a job that is not final, as it now is. @param data The job as JSON.
std::string progress_text(std::string_view data);

/// What a page of history looks like: `event: gap` with `{"forgotten": n}` where events up to `n`
/// were asked for that are kept no more, its events, and on the last page `event: snapshot` with
/// `{"jobs": [...]}`, whose id stands for everything before it.
std::string page_text(const pipeline::event_page& x);

/// A comment: says that the stream lives.
std::string_view heartbeat_text();

} // namespace musetalk::http
