#include "pipeline/catalog_events.hpp"

#include "pipeline/time.hpp"

#include <algorithm>
#include <utility>

namespace musetalk::pipeline {

namespace {

/// No page grows without bound, whatever is asked.
constexpr uint32_t max_events = 10'000;

} // namespace

job_event insert_event(sqlite::database& db, const job& record, const std::string& actor,
                       const std::string& reason) {
  auto result = job_event{};
  result.job_id = record.job_id;
  result.at_us = now_us();
  result.state = record.state;
  result.actor = actor;
  result.reason = reason;
  result.avatar_id = record.request.avatar_id;
  result.attempt = record.attempt;
  auto row =
      db.borrow("INSERT INTO events VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6) RETURNING sequence");
  row->bind(1, result.job_id).bind(2, result.at_us).bind(3, std::string{to_string(result.state)});
  row->bind(4, actor).bind(5, reason).bind(6, int64_t{result.attempt});
  row->step();
  result.sequence = row->integer(0);
  row->run();
  return result;
}

std::vector<job_event> read_events(sqlite::database& db, const event_query& query) {
  auto sql = std::string{"SELECT sequence, events.job_id, at_us, events.state, actor, reason, "
                         "jobs.avatar_id, events.attempt FROM events JOIN jobs USING(job_id) "
                         "WHERE sequence > ?1"};
  // Only with a filter, so that each form uses its index.
  if (!query.job_id.empty())
    sql += " AND events.job_id = ?2";
  if (!query.avatar_id.empty())
    sql += " AND jobs.avatar_id = ?3";
  auto row = db.borrow(sql + " ORDER BY sequence LIMIT ?4");
  row->bind(1, std::max<int64_t>(query.after, 0));
  if (!query.job_id.empty())
    row->bind(2, query.job_id);
  if (!query.avatar_id.empty())
    row->bind(3, query.avatar_id);
  row->bind(4, int64_t{std::min(query.limit, max_events)});
  auto result = std::vector<job_event>{};
  while (row->step()) {
    auto& x = result.emplace_back();
    x.sequence = row->integer(0);
    x.job_id = row->text(1);
    x.at_us = row->integer(2);
    x.state = job_state_from_string(row->text(3)).value_or(job_state::failed);
    x.actor = row->text(4);
    x.reason = row->text(5);
    x.avatar_id = row->text(6);
    x.attempt = static_cast<uint32_t>(row->integer(7));
  }
  return result;
}

int64_t last_event_row(sqlite::database& db) {
  auto row = db.borrow("SELECT coalesce(max(sequence), 0) FROM events");
  return row->step() ? row->integer(0) : 0;
}

int64_t first_event_row(sqlite::database& db) {
  auto row = db.borrow("SELECT coalesce(min(sequence), 0) FROM events");
  return row->step() ? row->integer(0) : 0;
}

int64_t erase_events(sqlite::database& db, timestamp_us before, int64_t keep, int64_t most) {
  auto last = last_event_row(db);
  auto first = first_event_row(db);
  auto smallest = [&](const std::string& sql, timestamp_us argument) {
    auto row = db.borrow(sql);
    row->bind(1, argument);
    return row->step() ? row->integer(0) : last + 1;
  };
  auto young =
      smallest("SELECT sequence FROM events WHERE at_us >= ?1 ORDER BY sequence LIMIT 1", before);
  auto crowded = keep > 0 ? last - keep + 1 : 0;
  // From the oldest on and without gaps: who follows can be told from its id alone what it missed.
  auto active = smallest("SELECT coalesce(min(sequence), ?1) FROM events WHERE job_id IN (SELECT "
                         "job_id FROM jobs WHERE state IN ('queued', 'running', 'cancelling'))",
                         last);
  auto end = std::min({std::max(young, crowded), active, last, first + most});
  auto row = db.borrow("DELETE FROM events WHERE sequence < ?1");
  row->bind(1, end).run();
  return db.changes();
}

std::optional<request_key> find_key_row(sqlite::database& db, const std::string& key,
                                        timestamp_us since) {
  auto row = db.borrow("SELECT key, fingerprint, target, at_us FROM request_keys "
                       "WHERE key = ?1 AND at_us >= ?2");
  row->bind(1, key).bind(2, since);
  if (!row->step())
    return std::nullopt;
  return request_key{row->text(0), row->text(1), row->text(2), row->integer(3)};
}

void insert_key(sqlite::database& db, const request_key& key) {
  if (key.key.empty())
    return;
  // An old one of the same text goes first, which makes room for this.
  auto aged = db.borrow("DELETE FROM request_keys WHERE at_us < ?1");
  aged->bind(1, key.at_us - request_key_age_us).run();
  auto row = db.borrow("INSERT INTO request_keys VALUES(NULL, ?1, ?2, ?3, ?4)");
  row->bind(1, key.key).bind(2, key.fingerprint).bind(3, key.target).bind(4, key.at_us).run();
  auto crowded = db.borrow("DELETE FROM request_keys WHERE number <= "
                           "(SELECT max(number) FROM request_keys) - ?1");
  crowded->bind(1, max_request_keys).run();
}

} // namespace musetalk::pipeline
