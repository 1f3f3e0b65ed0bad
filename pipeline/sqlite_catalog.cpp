#include "pipeline/catalog.hpp"
#include "pipeline/catalog_audit.hpp"
#include "pipeline/catalog_conditions.hpp"
#include "pipeline/catalog_events.hpp"
#include "pipeline/catalog_keeping.hpp"
#include "pipeline/catalog_reconcile.hpp"
#include "pipeline/catalog_rows.hpp"
#include "pipeline/catalog_schema.hpp"
#include "pipeline/catalog_videos.hpp"
#include "pipeline/disk_reserve.hpp"
#include "pipeline/sqlite.hpp"
#include "pipeline/time.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace musetalk::pipeline {

namespace {

constexpr uint32_t max_page = 1000;
constexpr uint32_t max_history = 10'000;
const std::string active_states = "('running', 'cancelling')";

[[noreturn]] void refuse_cursor() {
  throw error(errc::request_field_invalid, "The cursor is not one that this list gave.");
}

// Some moves of jobs fit; by the next checkpoint SQLite uses its log's room again.
constexpr auto reserve_bytes = uint64_t{256} * 1024;

class sqlite_catalog : public catalog {
public:
  explicit sqlite_catalog(const std::filesystem::path& path)
      : db_(path), reserve_(path.string() + "-reserve", reserve_bytes) {
    migrate_catalog(db_);
  }

  // -- jobs --------------------------------------------------------------------

  job_event add_job(const job& record, const std::string& actor) override {
    auto change = sqlite::transaction{db_, "catalog.add_job"};
    if (find_job_row(db_, record.job_id))
      throw error(errc::internal, "A job was added twice.", record.job_id);
    auto stored = record;
    stored.state = job_state::queued;
    insert_job(db_, stored);
    auto event = insert_event(db_, stored, actor, "");
    // What speaks makes nothing of the avatar.
    if (record.request.kind == job_kind::create)
      touch_avatar(record);
    keep(record.request.key, record.job_id);
    change.commit();
    return event;
  }

  std::optional<job> find_job(const std::string& job_id) override {
    return find_job_row(db_, job_id);
  }

  job_page list_jobs(const job_filter& filter, const page_request& page) override {
    auto where = conditions{};
    auto states = std::vector<std::string>{};
    for (auto state : filter.states)
      states.emplace_back(to_string(state));
    where.add("state", states);
    where.add("avatar_id", filter.avatar_id);
    where.add("tutor_id", filter.tutor_id);
    auto result = job_page{};
    result.total = count("jobs", where);
    // one more than asked for tells whether there is a next page
    if (!page.cursor.empty())
      where.add_compare("number < CAST(? AS INTEGER)", std::to_string(number_of(page.cursor, 'j')));
    auto limit = std::clamp(page.limit, 1u, max_page);
    auto row = db_.borrow("SELECT " + job_columns + " FROM jobs" + where.text() +
                          " ORDER BY number DESC LIMIT " + std::to_string(limit + 1));
    where.bind(*row);
    auto number = int64_t{0};
    while (row->step()) {
      if (result.jobs.size() == limit) {
        result.next_cursor = std::string{"j"}.append(std::to_string(number));
        break;
      }
      number = read_job_number(*row);
      result.jobs.push_back(job_view{read_job(*row), {}, 0, -1.});
      result.jobs.back().progress.job_id = result.jobs.back().record.job_id;
    }
    return result;
  }

  std::vector<job> queued_jobs() override { return jobs_in("('queued')"); }

  std::vector<job> active_jobs() override { return jobs_in(active_states); }

  job_event move_job(const job& record, const std::string& actor, const std::string& reason,
                     const request_key& key) override {
    auto event = job_event{};
    change_surely("catalog.move_job", [&] {
      event = move_job_row(db_, record, actor, reason);
      refresh_status(db_, record.request.avatar_id);
      keep(key, record.job_id);
    });
    return event;
  }

  job_event retry_job(const job& record, const std::string& actor, const std::string& reason,
                      const request_key& key) override {
    auto change = sqlite::transaction{db_, "catalog.retry_job"};
    auto event = move_job_row(db_, record, actor, reason);
    if (record.request.kind == job_kind::create)
      touch_avatar(record);
    keep(key, record.job_id);
    change.commit();
    return event;
  }

  std::vector<job> failed_uploads(timestamp_us since) override {
    auto row = db_.borrow("SELECT " + job_columns +
                          " FROM jobs WHERE state = 'failed' AND upload_id <> '' "
                          "AND finished_us >= ?1 ORDER BY finished_us, number");
    row->bind(1, since);
    auto result = std::vector<job>{};
    while (row->step())
      result.push_back(read_job(*row));
    return result;
  }

  // -- what happened -------------------------------------------------------------

  std::vector<job_event> job_events(const std::string& job_id) override {
    return read_events(db_, {job_id, "", 0, max_history});
  }

  std::vector<job_event> events_after(const event_query& query) override {
    return read_events(db_, query);
  }

  int64_t last_event() override { return last_event_row(db_); }

  int64_t first_event() override { return first_event_row(db_); }

  int64_t prune_events(timestamp_us before, int64_t keep, int64_t most) override {
    auto pruned = int64_t{0};
    change_surely("catalog.prune_events", [&] { pruned = erase_events(db_, before, keep, most); });
    return pruned;
  }

  // -- keys of requests ----------------------------------------------------------

  std::optional<request_key> find_key(const std::string& key, timestamp_us since) override {
    return find_key_row(db_, key, since);
  }

  void keep_key(const request_key& key) override {
    auto change = sqlite::transaction{db_, "catalog.keep_key"};
    insert_key(db_, key);
    change.commit();
  }

  // -- avatars -----------------------------------------------------------------

  std::optional<avatar> find_avatar(const std::string& avatar_id) override {
    return find_avatar_row(db_, avatar_id);
  }

  avatar_page list_avatars(const avatar_filter& filter, const page_request& page) override {
    auto where = conditions{};
    where.add("tutor_id", filter.tutor_id);
    where.add("status", filter.status);
    auto result = avatar_page{};
    result.total = count("avatars", where);
    if (!page.cursor.empty() && page.cursor.front() != 'a')
      refuse_cursor();
    if (!page.cursor.empty())
      where.add_compare("avatar_id > ?", page.cursor.substr(1));
    auto limit = std::clamp(page.limit, 1u, max_page);
    auto row = db_.borrow("SELECT " + avatar_columns + " FROM avatars" + where.text() +
                          " ORDER BY avatar_id LIMIT " + std::to_string(limit + 1));
    where.bind(*row);
    while (row->step()) {
      if (result.avatars.size() == limit) {
        result.next_cursor = std::string{"a"}.append(result.avatars.back().avatar_id);
        break;
      }
      result.avatars.push_back(read_avatar(*row));
      result.avatars.back().versions = read_versions(db_, result.avatars.back().avatar_id);
    }
    return result;
  }

  std::optional<version_ref> find_version(const std::string& video_sha256,
                                          const std::string& options_key) override {
    return find_version_row(db_, video_sha256, options_key);
  }

  job_event complete_job(const job& record, const avatar_version& version,
                         const std::string& actor) override {
    auto event = job_event{};
    change_surely("catalog.complete_job", [&] {
      auto stored = record;
      stored.state = job_state::completed;
      stored.version = version.version;
      event = move_job_row(db_, stored, actor, "published " + version.version);
      touch_avatar(record);
      insert_version(db_, record.request.avatar_id, version);
      set_current_version(db_, record.request.avatar_id, version.version);
      if (!record.request.tutor_id.empty()) {
        auto row = db_.borrow("UPDATE avatars SET tutor_id = ?2 WHERE avatar_id = ?1");
        row->bind(1, record.request.avatar_id).bind(2, record.request.tutor_id).run();
      }
      refresh_status(db_, record.request.avatar_id);
    });
    return event;
  }

  void activate_version(const std::string& avatar_id, const std::string& version,
                        const request_key& key) override {
    change_surely("catalog.activate_version", [&] {
      auto known = find_avatar_row(db_, avatar_id);
      if (!known || !has_version(*known, version))
        throw error(errc::version_not_found, "The avatar has no version of that name.");
      set_current_version(db_, avatar_id, version);
      refresh_status(db_, avatar_id);
      keep(key, avatar_id);
    });
  }

  bool remove_version(const std::string& avatar_id, const std::string& version) override {
    auto removed = false;
    change_surely("catalog.remove_version", [&] {
      auto known = find_avatar_row(db_, avatar_id);
      if (known && known->current_version == version)
        throw error(errc::internal, "The current version cannot be forgotten.", version);
      removed = erase_version(db_, avatar_id, version);
      refresh_status(db_, avatar_id);
    });
    return removed;
  }

  void reconcile(std::span<const avatar> on_disk) override {
    auto change = sqlite::transaction{db_, "catalog.reconcile"};
    reconcile_catalog(db_, on_disk);
    change.commit();
  }

  bool remove_avatar(const std::string& avatar_id) override {
    auto removed = false;
    change_surely("catalog.remove_avatar", [&] { removed = erase_avatar(db_, avatar_id); });
    return removed;
  }

  // -- videos --------------------------------------------------------------------

  job_event complete_speech(const job& record, const spoken_video& video,
                            const std::string& actor) override {
    auto event = job_event{};
    change_surely("catalog.complete_speech", [&] {
      auto stored = record;
      stored.state = job_state::completed;
      event = move_job_row(db_, stored, actor, "published video " + video.video_id);
      insert_video(db_, video);
      refresh_status(db_, record.request.avatar_id);
    });
    return event;
  }

  std::optional<spoken_video> find_video(const std::string& avatar_id,
                                         const std::string& video_id) override {
    return find_video_row(db_, avatar_id, video_id);
  }

  video_page list_videos(const std::string& avatar_id, const page_request& page) override {
    auto before = page.cursor.empty() ? 0 : number_of(page.cursor, 'v');
    return read_videos(db_, avatar_id, std::clamp(page.limit, 1u, max_page), before);
  }

  bool remove_video(const std::string& avatar_id, const std::string& video_id) override {
    auto removed = false;
    change_surely("catalog.remove_video", [&] { removed = erase_video(db_, avatar_id, video_id); });
    return removed;
  }

  std::vector<stored_video> reconcile_videos(std::span<const stored_video> on_disk) override {
    auto change = sqlite::transaction{db_, "catalog.reconcile_videos"};
    auto unknown = reconcile_video_rows(db_, on_disk);
    change.commit();
    return unknown;
  }

  // -- whether all is well -------------------------------------------------------

  store_claims claims(timestamp_us failed_since) override { return read_claims(db_, failed_since); }

  // -- how long things stay ------------------------------------------------------

  void note_uses(const std::map<std::string, timestamp_us>& uses) override {
    auto change = sqlite::transaction{db_, "catalog.uses"};
    for (const auto& [avatar_id, at] : uses)
      set_used(db_, avatar_id, at);
    change.commit();
  }

  bool pin_avatar(const std::string& avatar_id, bool pinned) override {
    auto found = false;
    change_surely("catalog.pin", [&] { found = set_pinned(db_, avatar_id, pinned); });
    return found;
  }

  std::optional<version_ref> oldest_check(timestamp_us before) override {
    return oldest_check_row(db_, before);
  }

  void note_check(const version_ref& what, timestamp_us at) override {
    auto change = sqlite::transaction{db_, "catalog.check"};
    set_checked(db_, what, at);
    change.commit();
  }

  std::optional<job_event> lose_version(const version_ref& what, const std::string& current,
                                        const std::string& reason) override {
    auto event = std::optional<job_event>{};
    change_surely("catalog.lose_version",
                  [&] { event = lose_version_row(db_, what, current, reason); });
    return event;
  }

private:
  /// One transaction that a full disk must not stop: what has happened on disk has to be told, and
  /// what frees room has to be let. Takes the reserve then. New jobs get no such help.
  template <class F>
  void change_surely(const char* name, F&& body) {
    auto run = [&] {
      auto change = sqlite::transaction{db_, name};
      body();
      change.commit();
    };
    try {
      run();
    } catch (const error& x) {
      if (x.code() != errc::storage_full || !reserve_.release())
        throw;
      run();
    }
    reserve_.refill();
  }

  uint64_t count(const std::string& table, const conditions& where) {
    auto row = db_.borrow("SELECT count(*) FROM " + table + where.text());
    where.bind(*row);
    return row->step() ? static_cast<uint64_t>(row->integer(0)) : 0;
  }

  /// The number in a cursor of jobs or videos.
  static int64_t number_of(const std::string& cursor, char kind) {
    auto number = int64_t{0};
    auto end = cursor.data() + cursor.size();
    auto [stop, failure] = std::from_chars(cursor.data() + 1, end, number);
    if (cursor.front() != kind || failure != std::errc{} || stop != end || number < 0)
      refuse_cursor();
    return number;
  }

  std::vector<job> jobs_in(const std::string& states) {
    auto row = db_.borrow("SELECT " + job_columns + " FROM jobs WHERE state IN " + states +
                          " ORDER BY number");
    auto result = std::vector<job>{};
    while (row->step())
      result.push_back(read_job(*row));
    return result;
  }

  void keep(request_key key, const std::string& target) {
    key.target = target;
    insert_key(db_, key);
  }

  /// Makes the avatar's row if there is none; the job is its latest.
  void touch_avatar(const job& record) {
    auto x = avatar{};
    x.avatar_id = record.request.avatar_id;
    x.tutor_id = record.request.tutor_id;
    x.created_us = x.updated_us = x.used_us = now_us();
    x.status = "preparing";
    x.latest_job_id = record.job_id;
    insert_avatar(db_, x);
    refresh_status(db_, record.request.avatar_id);
  }

  sqlite::database db_;
  disk_reserve reserve_;
};

} // namespace

std::unique_ptr<catalog> open_sqlite_catalog(const std::filesystem::path& file) {
  return std::make_unique<sqlite_catalog>(file);
}

} // namespace musetalk::pipeline
