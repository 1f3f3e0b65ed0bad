#include "pipeline/retention_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace musetalk::pipeline {

namespace {

constexpr auto day_us = timestamp_us{86'400} * 1'000'000;

std::string days_text(timestamp_us time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(time) / day_us);
  return text;
}

uint64_t bytes_of(const avatar& x) {
  auto total = uint64_t{0};
  for (const auto& version : x.versions)
    total += version.bytes;
  return total;
}

/// Who has never been seen in use counts from when it was made.
timestamp_us last_use(const avatar& x) {
  auto made = x.versions.empty() ? x.created_us : x.versions.back().created_us;
  return std::max({x.used_us, x.created_us, made});
}

/// One version that is not current was read last when it was replaced, at the latest.
timestamp_us last_use(const avatar_version& x) {
  return std::max(x.retired_us, x.created_us);
}

/// Works on copies of the lists, from which what goes is taken.
class planner {
public:
  planner(std::span<const avatar> avatars, const std::set<std::string>& busy,
          const retention_policy& policy, timestamp_us now)
      : policy_(policy), now_(now) {
    plan_.at_us = now;
    plan_.max_bytes = policy.max_bytes;
    for (const auto& x : avatars) {
      plan_.bytes += bytes_of(x);
      if (!x.pinned && !busy.contains(x.avatar_id) && !x.versions.empty())
        free_.push_back(x);
    }
    plan_.bytes_kept = plan_.bytes;
  }

  retention_plan run() {
    drop_surplus();
    drop_unused();
    make_room();
    return std::move(plan_);
  }

private:
  bool within_grace(timestamp_us since) const { return now_ - since < policy_.grace_us; }

  /// A version that is not current and that nobody reads any more.
  bool may_go(const avatar& x, const avatar_version& version) const {
    return version.version != x.current_version && !within_grace(last_use(version));
  }

  void drop_version(avatar& x, const std::string& version, retention_reason reason,
                    std::string detail) {
    auto found = std::find_if(x.versions.begin(), x.versions.end(),
                              [&](const auto& y) { return y.version == version; });
    plan_.bytes_kept -= found->bytes;
    plan_.removals.push_back({x.avatar_id, version, found->bytes, reason, std::move(detail), ""});
    x.versions.erase(found);
  }

  void drop_avatar(const avatar& x, retention_reason reason, std::string detail) {
    auto bytes = bytes_of(x);
    plan_.bytes_kept -= bytes;
    plan_.removals.push_back({x.avatar_id, "", bytes, reason, std::move(detail), ""});
  }

  void drop_surplus() {
    if (policy_.keep_versions == 0)
      return;
    for (auto& x : free_) {
      auto count = x.versions.size();
      auto surplus = count - std::min<size_t>(count, policy_.keep_versions);
      // The oldest first. The current one is kept wherever it stands among them.
      for (const auto& version : std::vector{x.versions})
        if (surplus > 0 && may_go(x, version)) {
          drop_version(x, version.version, retention_reason::surplus,
                       "The avatar has " + std::to_string(count) + " versions; " +
                           std::to_string(policy_.keep_versions) + " are kept.");
          --surplus;
        }
    }
  }

  void drop_unused() {
    if (policy_.expire_us == 0)
      return;
    std::erase_if(free_, [&](const avatar& x) {
      auto idle = now_ - last_use(x);
      if (idle < policy_.expire_us || within_grace(last_use(x)))
        return false;
      drop_avatar(x, retention_reason::unused,
                  "Nobody used the avatar for " + days_text(idle) + " days; the limit is " +
                      days_text(policy_.expire_us) + " days.");
      return true;
    });
  }

  bool too_large() const { return policy_.max_bytes > 0 && plan_.bytes_kept > policy_.max_bytes; }

  /// Says how large the store would be without this removal.
  std::string room_detail(const std::string& what, timestamp_us since) const {
    return "The store has " + std::to_string(plan_.bytes_kept) + " bytes; the limit is " +
           std::to_string(policy_.max_bytes) + ". " + what + " " + days_text(now_ - since) +
           " days ago.";
  }

  void make_room() {
    struct old_version {
      timestamp_us used;
      size_t owner;
      std::string version;
    };
    auto old = std::vector<old_version>{};
    for (auto i = size_t{0}; i < free_.size(); ++i)
      for (const auto& version : free_[i].versions)
        if (may_go(free_[i], version))
          old.push_back({last_use(version), i, version.version});
    std::sort(old.begin(), old.end(), [](const auto& a, const auto& b) {
      return std::tie(a.used, a.owner, a.version) < std::tie(b.used, b.owner, b.version);
    });
    for (const auto& x : old)
      if (too_large())
        drop_version(free_[x.owner], x.version, retention_reason::room,
                     room_detail("The version was replaced", x.used));
    std::stable_sort(free_.begin(), free_.end(),
                     [](const auto& a, const auto& b) { return last_use(a) < last_use(b); });
    for (const auto& x : free_)
      if (too_large() && !within_grace(last_use(x)))
        drop_avatar(x, retention_reason::room,
                    room_detail("The avatar was last used", last_use(x)));
  }

  retention_policy policy_;
  timestamp_us now_;
  std::vector<avatar> free_; ///< Those of which something may go.
  retention_plan plan_;
};

} // namespace

std::string_view to_string(retention_reason x) noexcept {
  switch (x) {
  case retention_reason::surplus:
    return "surplus";
  case retention_reason::unused:
    return "unused";
  case retention_reason::room:
    return "room";
  }
  return "unknown";
}

retention_plan plan_retention(std::span<const avatar> avatars, const std::set<std::string>& busy,
                              const retention_policy& policy, timestamp_us now) {
  return planner{avatars, busy, policy, now}.run();
}

} // namespace musetalk::pipeline
