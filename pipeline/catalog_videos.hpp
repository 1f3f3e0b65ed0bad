#pragma once

#include "pipeline/job.hpp"
#include "pipeline/sqlite.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace musetalk::pipeline {

// Videos that avatars made, and how jobs speak. All inside the caller's transaction.

/// As the column `speech` keeps it; empty for a job that does not speak.
std::string speech_to_text(const job_request& x);

/// What cannot be read stays as it is by default.
speech_options speech_from_text(const std::string& text);

void insert_video(sqlite::database& db, const spoken_video& x);

/// As `catalog::find_video`.
std::optional<spoken_video> find_video_row(sqlite::database& db, const std::string& avatar_id,
                                           const std::string& video_id);

/// As `catalog::list_videos`; `limit` and `before` (a row's number; 0: none) are checked already.
video_page read_videos(sqlite::database& db, const std::string& avatar_id, uint32_t limit,
                       int64_t before);

/// False when there was none.
bool erase_video(sqlite::database& db, const std::string& avatar_id, const std::string& video_id);

/// As `catalog::reconcile_videos`.
std::vector<stored_video> reconcile_video_rows(sqlite::database& db,
                                               std::span<const stored_video> on_disk);

} // namespace musetalk::pipeline
