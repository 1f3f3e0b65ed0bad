#pragma once

#include "pipeline/catalog.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace musetalk::tests {

/// A catalog in memory that can be broken, and that keeps the one table of moves.
class fake_catalog : public pipeline::catalog {
public:
  bool broken = false;                  ///< Every write throws.
  std::vector<pipeline::job_event> log; ///< All events, in order.
  std::map<std::string, pipeline::job> jobs;
  std::map<std::string, pipeline::avatar> avatars;
  std::map<std::string, pipeline::request_key> keys;
  std::vector<pipeline::spoken_video> videos;
  pipeline::timestamp_us pruned_before = 0; ///< As `prune_events` was last asked.

  pipeline::job_event add_job(const pipeline::job& x, const std::string& actor) override {
    require();
    jobs[x.job_id] = x;
    touch(x);
    keep(x.request.key, x.job_id);
    return note(x, actor, "");
  }

  std::optional<pipeline::job> find_job(const std::string& job_id) override {
    auto found = jobs.find(job_id);
    return found == jobs.end() ? std::nullopt : std::optional{found->second};
  }

  pipeline::job_page list_jobs(const pipeline::job_filter& filter,
                               const pipeline::page_request&) override {
    auto result = pipeline::job_page{};
    for (const auto& x : sorted([&](const auto& y) {
           return filter.avatar_id.empty() || y.request.avatar_id == filter.avatar_id;
         }))
      result.jobs.insert(result.jobs.begin(), pipeline::job_view{x, {}, 0, -1.});
    result.total = result.jobs.size();
    return result;
  }

  std::vector<pipeline::job> queued_jobs() override {
    return sorted([](const auto& x) { return x.state == pipeline::job_state::queued; });
  }

  std::vector<pipeline::job> active_jobs() override {
    return sorted([](const auto& x) {
      return x.state == pipeline::job_state::running || x.state == pipeline::job_state::cancelling;
    });
  }

  pipeline::job_event move_job(const pipeline::job& x, const std::string& actor,
                               const std::string& reason,
                               const pipeline::request_key& key = {}) override {
    require();
    if (!transition_allowed(jobs.at(x.job_id).state, x.state))
      throw error(errc::internal, "No such move.");
    jobs[x.job_id] = x;
    keep(key, x.job_id);
    return note(x, actor, reason);
  }

  pipeline::job_event retry_job(const pipeline::job& x, const std::string& actor,
                                const std::string& reason,
                                const pipeline::request_key& key = {}) override {
    auto result = move_job(x, actor, reason, key);
    touch(x);
    return result;
  }

  std::vector<pipeline::job> failed_uploads(pipeline::timestamp_us since) override {
    return sorted([&](const auto& x) {
      return x.state == pipeline::job_state::failed && !x.request.upload_id.empty() &&
             x.finished_us >= since;
    });
  }

  std::vector<pipeline::job_event> job_events(const std::string& job_id) override {
    auto result = log;
    std::erase_if(result, [&](const auto& x) { return x.job_id != job_id; });
    return result;
  }

  std::vector<pipeline::job_event> events_after(const pipeline::event_query& query) override {
    auto result = std::vector<pipeline::job_event>{};
    for (const auto& x : log)
      if (x.sequence > query.after && (query.job_id.empty() || x.job_id == query.job_id) &&
          (query.avatar_id.empty() || x.avatar_id == query.avatar_id) &&
          result.size() < query.limit)
        result.push_back(x);
    return result;
  }

  int64_t last_event() override { return log.empty() ? 0 : log.back().sequence; }

  int64_t first_event() override { return log.empty() ? 0 : log.front().sequence; }

  int64_t prune_events(pipeline::timestamp_us before, int64_t keep, int64_t) override {
    require();
    pruned_before = before;
    auto count = keep > 0 ? std::max<int64_t>(std::ssize(log) - keep, 0) : 0;
    log.erase(log.begin(), log.begin() + count);
    return count;
  }

  std::optional<pipeline::request_key> find_key(const std::string& key,
                                                pipeline::timestamp_us since) override {
    auto found = keys.find(key);
    return found == keys.end() || found->second.at_us < since ? std::nullopt
                                                              : std::optional{found->second};
  }

  void keep_key(const pipeline::request_key& key) override {
    require();
    keys[key.key] = key;
  }

  std::optional<pipeline::avatar> find_avatar(const std::string& avatar_id) override {
    auto found = avatars.find(avatar_id);
    return found == avatars.end() ? std::nullopt : std::optional{found->second};
  }

  pipeline::avatar_page list_avatars(const pipeline::avatar_filter&,
                                     const pipeline::page_request&) override {
    auto result = pipeline::avatar_page{};
    for (const auto& [id, x] : avatars)
      result.avatars.push_back(x);
    result.total = result.avatars.size();
    return result;
  }

  std::optional<pipeline::version_ref> find_version(const std::string& video_sha256,
                                                    const std::string& options_key) override {
    for (const auto& [id, x] : avatars)
      for (const auto& version : x.versions)
        if (version.video_sha256 == video_sha256 && version.options_key == options_key)
          return pipeline::version_ref{id, version.version};
    return std::nullopt;
  }

  pipeline::job_event complete_job(const pipeline::job& x, const pipeline::avatar_version& version,
                                   const std::string& actor) override {
    auto result = move_job(x, actor, "published");
    auto& avatar = avatars[x.request.avatar_id];
    avatar.status = "ready";
    avatar.current_version = version.version;
    avatar.versions.push_back(version);
    return result;
  }

  void activate_version(const std::string& avatar_id, const std::string& version,
                        const pipeline::request_key& key = {}) override {
    require();
    avatars.at(avatar_id).current_version = version;
    keep(key, avatar_id);
  }

  bool remove_version(const std::string& avatar_id, const std::string& version) override {
    require();
    return std::erase_if(avatars.at(avatar_id).versions,
                         [&](const auto& x) { return x.version == version; }) > 0;
  }

  void reconcile(std::span<const pipeline::avatar> on_disk) override {
    for (const auto& x : on_disk)
      avatars[x.avatar_id] = x;
  }

  bool remove_avatar(const std::string& avatar_id) override {
    require();
    return avatars.erase(avatar_id) > 0;
  }

  pipeline::job_event complete_speech(const pipeline::job& x, const pipeline::spoken_video& video,
                                      const std::string& actor) override {
    auto result = move_job(x, actor, "spoke");
    videos.push_back(video);
    return result;
  }

  std::optional<pipeline::spoken_video> find_video(const std::string& avatar_id,
                                                   const std::string& video_id) override {
    for (const auto& x : videos)
      if (x.avatar_id == avatar_id && x.video_id == video_id)
        return x;
    return std::nullopt;
  }

  pipeline::video_page list_videos(const std::string& avatar_id,
                                   const pipeline::page_request&) override {
    auto result = pipeline::video_page{};
    for (const auto& x : videos)
      if (x.avatar_id == avatar_id)
        result.videos.push_back(x);
    result.total = result.videos.size();
    return result;
  }

  bool remove_video(const std::string& avatar_id, const std::string& video_id) override {
    require();
    return std::erase_if(videos, [&](const auto& x) {
             return x.avatar_id == avatar_id && x.video_id == video_id;
           }) > 0;
  }

  std::vector<pipeline::stored_video>
  reconcile_videos(std::span<const pipeline::stored_video>) override {
    return {};
  }

  pipeline::store_claims claims(pipeline::timestamp_us) override {
    auto result = pipeline::store_claims{};
    for (const auto& [id, x] : avatars)
      result.avatars.push_back(x);
    ++claims_asked;
    if (after_claims)
      after_claims();
    return result;
  }

  int claims_asked = 0;
  std::function<void()> after_claims; ///< May change what the next ones are, or throw.

  void note_uses(const std::map<std::string, pipeline::timestamp_us>& uses) override {
    require();
    for (const auto& [id, at] : uses)
      if (auto found = avatars.find(id); found != avatars.end())
        found->second.used_us = std::max(found->second.used_us, at);
  }

  bool pin_avatar(const std::string& avatar_id, bool pinned) override {
    require();
    auto found = avatars.find(avatar_id);
    if (found != avatars.end())
      found->second.pinned = pinned;
    return found != avatars.end();
  }

  std::optional<pipeline::version_ref> oldest_check(pipeline::timestamp_us before) override {
    for (const auto& [id, x] : avatars)
      for (const auto& version : x.versions)
        if (version.checked_us < before)
          return pipeline::version_ref{id, version.version};
    return std::nullopt;
  }

  void note_check(const pipeline::version_ref& what, pipeline::timestamp_us at) override {
    require();
    for (auto& version : avatars.at(what.avatar_id).versions)
      if (version.version == what.version)
        version.checked_us = at;
  }

  std::optional<pipeline::job_event> lose_version(const pipeline::version_ref& what,
                                                  const std::string& current,
                                                  const std::string& reason) override {
    require();
    auto& x = avatars.at(what.avatar_id);
    auto event = std::optional<pipeline::job_event>{};
    for (const auto& version : x.versions)
      if (version.version == what.version && jobs.contains(version.job_id))
        event = note(jobs[version.job_id], "scrub", reason);
    std::erase_if(x.versions, [&](const auto& y) { return y.version == what.version; });
    x.current_version = current;
    return event;
  }

private:
  void require() const {
    if (broken)
      throw error(errc::catalog_failed, "The catalog refused the write.");
  }

  pipeline::job_event note(const pipeline::job& x, const std::string& actor,
                           const std::string& reason) {
    log.push_back(
        {last_event() + 1, x.job_id, 0, x.state, actor, reason, x.request.avatar_id, x.attempt});
    return log.back();
  }

  void touch(const pipeline::job& x) {
    auto& avatar = avatars[x.request.avatar_id];
    avatar.avatar_id = x.request.avatar_id;
    avatar.latest_job_id = x.job_id;
  }

  void keep(pipeline::request_key key, const std::string& target) {
    key.target = target;
    if (!key.key.empty())
      keys[key.key] = key;
  }

  template <class F>
  std::vector<pipeline::job> sorted(F&& keep) const {
    auto result = std::vector<pipeline::job>{};
    for (const auto& [id, x] : jobs)
      if (keep(x))
        result.push_back(x);
    std::sort(result.begin(), result.end(),
              [](const auto& x, const auto& y) { return x.created_us < y.created_us; });
    return result;
  }
};

} // namespace musetalk::tests
