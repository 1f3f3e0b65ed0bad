#include "http/event_socket.hpp"

#include "http/json.hpp"
#include "http/socket_messages.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace musetalk::http {

namespace {

/// One topic of one socket. The feed tells it, the client ends it.
class topic_listener final : public event_listener {
public:
  topic_listener(web_socket_ptr to, std::string name)
      : to_(std::move(to)), name_(std::move(name)) {}

  bool tell(const pipeline::event_page& page) override {
    if (page.forgotten > 0 && !send("gap", "\"forgotten\":" + std::to_string(page.forgotten)))
      return false;
    for (const auto& event : page.events)
      if (!tell(event.sequence, text_of(to_json(event))))
        return false;
    return page.more || send("snapshot", "\"sequence\":" + std::to_string(page.last) +
                                             ",\"jobs\":" + text_of(jobs_json(page.jobs)));
  }
  bool tell(int64_t, std::string_view data) override {
    return send("state", std::string{"\"event\":"}.append(data));
  }
  bool tell(std::span<const std::string_view> jobs) override {
    for (auto job : jobs)
      if (!send("progress", std::string{"\"job\":"}.append(job)))
        return false;
    return true;
  }
  /// The gate asks and answers pings.
  bool tell_alive() override { return true; }
  void end() override { finish("ended"); }
  void lose() override {
    std::lock_guard guard{mutex_};
    if (std::exchange(open_, false))
      to_->close(close_code::try_again, "Too slow: come back with the last sequence.");
  }
  bool open() const noexcept override {
    std::lock_guard guard{mutex_};
    return open_ && to_->open();
  }
  size_t backlog() const noexcept override { return to_->backlog(); }

  /// Says so, and nothing after it. @returns false when that was done before.
  bool finish(std::string_view type) {
    std::lock_guard guard{mutex_};
    if (!std::exchange(open_, false))
      return false;
    to_->send(message_kind::text, server_message(type, name_));
    return true;
  }

  /// Says nothing any more.
  void drop() {
    std::lock_guard guard{mutex_};
    open_ = false;
  }

private:
  bool send(std::string_view type, std::string_view members) {
    std::lock_guard guard{mutex_};
    return open_ && to_->send(message_kind::text, server_message(type, name_, members));
  }

  const web_socket_ptr to_;
  const std::string name_;
  mutable std::mutex mutex_;
  bool open_ = true;
};

/// A subscription on its way to the feed.
class topic_client final : public event_client {
public:
  topic_client(web_socket_ptr to, std::string name, std::shared_ptr<topic_listener> listener)
      : to_(std::move(to)), name_(std::move(name)), listener_(std::move(listener)) {}
  /// Whatever became of the question: the client may go on.
  ~topic_client() override { free(); }

  std::shared_ptr<event_listener> begin(const pipeline::event_page& page, bool ends,
                                        int64_t) override {
    to_->send(message_kind::text, server_message("subscribed", name_));
    auto kept = listener_->tell(page);
    if (!kept)
      listener_->lose();
    else if (ends)
      listener_->end();
    free();
    return kept && !ends ? listener_ : nullptr;
  }

  void refuse(const error& why) override {
    listener_->drop();
    to_->send(message_kind::text, error_message(why, name_));
    free();
  }

private:
  void free() {
    if (!std::exchange(free_, true))
      to_->resume();
  }

  const web_socket_ptr to_;
  const std::string name_;
  const std::shared_ptr<topic_listener> listener_;
  bool free_ = false;
};

class event_socket final : public web_socket_user {
public:
  event_socket(event_follow follow, event_socket_limits limits)
      : follow_(std::move(follow)), limits_(limits) {}

  void on_message(const web_socket_ptr& from, message_kind kind, std::string_view bytes) override {
    try {
      if (kind != message_kind::text)
        throw error{errc::request_malformed, "Messages here are text; this one is binary."};
      std::visit([&](const auto& x) { take(from, x); }, read_client_message(bytes));
      bad_ -= bad_ > 0;
    } catch (const error& what) {
      from->send(message_kind::text, error_message(what));
      if (++bad_ >= limits_.bad_messages)
        from->close(close_code::policy, "Too many messages that make no sense.");
    }
  }

  void on_close(close_code) noexcept override { topics_.clear(); }

private:
  void take(const web_socket_ptr& from, const subscribe_message& x) {
    std::erase_if(topics_, [](const auto& topic) { return !topic.second->open(); });
    // Once more: it begins anew.
    if (auto old = topics_.find(x.topic); old != topics_.end())
      old->second->finish("unsubscribed");
    else if (topics_.size() >= limits_.topics)
      throw error{errc::request_field_invalid, "This socket has " + std::to_string(limits_.topics) +
                                                   " subscriptions; that is the limit."};
    auto listener = std::make_shared<topic_listener>(from, x.topic);
    topics_[x.topic] = listener;
    from->hold();
    follow_(std::make_shared<topic_client>(from, x.topic, std::move(listener)), x.query);
  }

  void take(const web_socket_ptr& from, const unsubscribe_message& x) {
    auto found = topics_.find(x.topic);
    auto known = found != topics_.end() && found->second->finish("unsubscribed");
    if (found != topics_.end())
      topics_.erase(found);
    // One that has just ended by itself, or was never there: the client is told the same.
    if (!known)
      from->send(message_kind::text, server_message("unsubscribed", x.topic));
  }

  void take(const web_socket_ptr& from, const ping_message& x) {
    from->send(message_kind::text, pong_message(x.value));
  }

  const event_follow follow_;
  const event_socket_limits limits_;
  std::map<std::string, std::shared_ptr<topic_listener>> topics_;
  size_t bad_ = 0;
};

} // namespace

std::shared_ptr<web_socket_user> make_event_socket(event_follow follow,
                                                   event_socket_limits limits) {
  return std::make_shared<event_socket>(std::move(follow), limits);
}

} // namespace musetalk::http
