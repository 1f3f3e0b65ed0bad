#include "pipeline/catalog_videos.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace musetalk::pipeline {

namespace {

using nlohmann::json;

const std::string columns =
    "number, video_id, avatar_id, version, created_us, weights, audio_name, audio_sha256, frames, "
    "fps, width, height, duration_s, bytes, options";

json options_to_json(const speech_options& x) {
  return {{"fps", x.fps},
          {"batch_size", x.batch_size},
          {"start_frame", x.start_frame},
          {"sync_mode", to_string(x.mode)},
          {"crf", x.crf}};
}

spoken_video read_video(const sqlite::statement& row) {
  auto x = spoken_video{};
  x.video_id = row.text(1);
  x.avatar_id = row.text(2);
  x.version = row.text(3);
  x.created_us = row.integer(4);
  x.weights = row.text(5);
  x.audio_name = row.text(6);
  x.audio_sha256 = row.text(7);
  x.frames = row.integer(8);
  x.fps = static_cast<int32_t>(row.integer(9));
  x.width = static_cast<int32_t>(row.integer(10));
  x.height = static_cast<int32_t>(row.integer(11));
  x.duration_s = row.real(12);
  x.bytes = static_cast<uint64_t>(row.integer(13));
  x.options = speech_from_text(row.text(14));
  return x;
}

} // namespace

std::string speech_to_text(const job_request& x) {
  return x.kind == job_kind::speak ? options_to_json(x.speech).dump() : std::string{};
}

speech_options speech_from_text(const std::string& text) {
  auto result = speech_options{};
  auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object())
    return result;
  auto whole = [&](const char* name, auto& to) {
    if (auto x = parsed.find(name); x != parsed.end() && x->is_number_integer())
      to = x->get<std::remove_reference_t<decltype(to)>>();
  };
  whole("fps", result.fps);
  whole("batch_size", result.batch_size);
  whole("start_frame", result.start_frame);
  whole("crf", result.crf);
  if (auto x = parsed.find("sync_mode"); x != parsed.end() && x->is_string())
    result.mode = sync_mode_from_string(x->get<std::string>()).value_or(result.mode);
  return result;
}

void insert_video(sqlite::database& db, const spoken_video& x) {
  auto row = db.borrow("INSERT INTO videos VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                       "?11, ?12, ?13, ?14)");
  row->bind(1, x.video_id).bind(2, x.avatar_id).bind(3, x.version).bind(4, x.created_us);
  row->bind(5, x.weights).bind(6, x.audio_name).bind(7, x.audio_sha256).bind(8, x.frames);
  row->bind(9, int64_t{x.fps}).bind(10, int64_t{x.width}).bind(11, int64_t{x.height});
  row->bind_real(12, x.duration_s).bind(13, static_cast<int64_t>(x.bytes));
  row->bind(14, options_to_json(x.options).dump());
  row->run();
}

std::optional<spoken_video> find_video_row(sqlite::database& db, const std::string& avatar_id,
                                           const std::string& video_id) {
  auto row = db.borrow("SELECT " + columns + " FROM videos WHERE avatar_id = ?1 AND video_id = ?2");
  row->bind(1, avatar_id).bind(2, video_id);
  return row->step() ? std::optional{read_video(*row)} : std::nullopt;
}

video_page read_videos(sqlite::database& db, const std::string& avatar_id, uint32_t limit,
                       int64_t before) {
  auto result = video_page{};
  auto total = db.borrow("SELECT count(*) FROM videos WHERE avatar_id = ?1");
  total->bind(1, avatar_id);
  result.total = total->step() ? static_cast<uint64_t>(total->integer(0)) : 0;
  // one more than asked for tells whether there is a next page
  auto row = db.borrow("SELECT " + columns +
                       " FROM videos WHERE avatar_id = ?1 AND (?2 = 0 OR number < ?2) "
                       "ORDER BY number DESC LIMIT ?3");
  row->bind(1, avatar_id).bind(2, before).bind(3, int64_t{limit} + 1);
  auto number = int64_t{0};
  while (row->step()) {
    if (result.videos.size() == limit) {
      result.next_cursor = "v" + std::to_string(number);
      break;
    }
    number = row->integer(0);
    result.videos.push_back(read_video(*row));
  }
  return result;
}

bool erase_video(sqlite::database& db, const std::string& avatar_id, const std::string& video_id) {
  auto row = db.borrow("DELETE FROM videos WHERE avatar_id = ?1 AND video_id = ?2");
  row->bind(1, avatar_id).bind(2, video_id).run();
  return db.changes() == 1;
}

std::vector<stored_video> reconcile_video_rows(sqlite::database& db,
                                               std::span<const stored_video> on_disk) {
  auto known = std::vector<stored_video>{};
  {
    auto row = db.borrow("SELECT avatar_id, video_id, bytes FROM videos");
    while (row->step())
      known.push_back({row->text(0), row->text(1), static_cast<uint64_t>(row->integer(2))});
  }
  auto holds = [](const auto& xs, const stored_video& x) {
    return std::find(xs.begin(), xs.end(), x) != xs.end();
  };
  // One of another size is not what was published.
  for (const auto& x : known)
    if (!holds(on_disk, x))
      erase_video(db, x.avatar_id, x.video_id);
  auto unknown = std::vector<stored_video>{};
  for (const auto& x : on_disk)
    if (!holds(known, x))
      unknown.push_back(x);
  return unknown;
}

} // namespace musetalk::pipeline
