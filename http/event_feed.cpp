#include "http/event_feed.hpp"

#include "http/json.hpp"

#include <utility>
#include <vector>

namespace musetalk::http {

namespace {

namespace atom = actors::atom;
using follower = event_feed_state::follower;
using pipeline::event_page;

bool concerns(const follower& x, const std::string& job_id, const std::string& avatar_id) {
  return (x.job_id.empty() || x.job_id == job_id) &&
         (x.avatar_id.empty() || x.avatar_id == avatar_id);
}

/// @returns false when the client is lost.
template <class... Ts>
bool tell(event_feed_pointer self, follower& x, const Ts&... what) {
  x.told = self->clock().now();
  if (x.to->tell(what...))
    return true;
  x.to->lose();
  return false;
}

/// Lets go of the clients of whom `done` says so.
template <class F>
void drop_if(event_feed_state& state, F&& done) {
  for (auto x = state.followers.begin(); x != state.followers.end();)
    x = done(x->second) ? state.followers.erase(x) : std::next(x);
}

void gather(event_feed_pointer self) {
  if (!std::exchange(self->state.gathering, true))
    self->delayed_send(self, self->state.config.gather, atom::next_v);
}

void arm_tick(event_feed_pointer self) {
  if (!self->state.followers.empty() && !std::exchange(self->state.ticking, true))
    self->delayed_send(self, self->state.config.tick, atom::tick_v);
}

/// Nobody listens: nothing needs to be known.
void rest_when_alone(event_feed_state& state) {
  if (!state.followers.empty())
    return;
  state.progress.clear();
  state.news.clear();
}

// -- from history to the present ---------------------------------------------------

/// Whether the page says that the one job somebody follows has ended.
bool ends_stream(const pipeline::event_query& query, const event_page& page) {
  return !query.job_id.empty() && !page.more && !page.jobs.empty() &&
         is_final(page.jobs.front().record.state);
}

/// What the REGISTRY told is told in order: whatever it tells after a page lies behind the page.
void take_page(follower& x, const event_page& page) {
  x.last = page.last;
  x.live = !page.more;
}

void ask_more(event_feed_pointer self, uint64_t number) {
  auto& x = self->state.followers.at(number);
  x.asking = true;
  auto query = pipeline::event_query{x.job_id, x.avatar_id, x.last};
  self->request(self->state.config.registry, self->state.config.timeout, atom::event_v, query)
      .then(
          [=](const event_page& page) {
            auto found = self->state.followers.find(number);
            if (found == self->state.followers.end())
              return;
            auto& to = found->second;
            to.asking = false;
            take_page(to, page);
            auto over = ends_stream(query, page);
            if (!tell(self, to, page)) {
              self->state.followers.erase(found);
            } else if (over) {
              to.to->end();
              self->state.followers.erase(found);
            } else if (!to.live) {
              gather(self);
            }
          },
          // It comes back with the id that it has.
          [=](const caf::error& why) {
            self->note(why);
            self->state.followers.erase(number);
          });
}

void open(event_feed_pointer self, const follow_events& wish, const event_page& page) {
  auto to = wish.to->begin(page, ends_stream(wish.query, page), wish.query.after);
  if (!to)
    return;
  auto& x = self->state.followers[++self->state.last_number];
  x.to = std::move(to);
  x.job_id = wish.query.job_id;
  x.avatar_id = wish.query.avatar_id;
  x.told = self->clock().now();
  take_page(x, page);
  if (!x.live)
    gather(self);
  arm_tick(self);
}

/// Whether one more may follow. Those that have left count no longer.
bool has_room(event_feed_state& state) {
  auto full = [&] {
    return state.followers.size() + state.opening >= state.config.max_followers;
  };
  if (full())
    drop_if(state, [](const follower& x) { return !x.to->open(); });
  return !full();
}

void follow(event_feed_pointer self, const follow_events& wish) {
  auto& state = self->state;
  if (!has_room(state)) {
    wish.to->refuse(
        error{errc::queue_full, std::to_string(state.config.max_followers) +
                                    " clients follow events already; that is the limit."});
    return;
  }
  ++state.opening;
  self->request(state.config.registry, state.config.timeout, atom::event_v, wish.query)
      .then(
          [=](const event_page& page) {
            --self->state.opening;
            open(self, wish, page);
          },
          [=](const caf::error& why) {
            --self->state.opening;
            self->note(why);
            wish.to->refuse(error{actors::code_of(why), actors::detail_of(why)});
          });
}

// -- the present -------------------------------------------------------------------

void tell_event(event_feed_pointer self, const pipeline::job_event& x) {
  auto& state = self->state;
  auto text = std::string{};
  drop_if(state, [&](follower& to) {
    if (!to.live || x.sequence <= to.last)
      return false;
    to.last = x.sequence;
    if (!concerns(to, x.job_id, x.avatar_id))
      return false;
    if (text.empty())
      text = text_of(to_json(x));
    auto kept = tell(self, to, x.sequence, std::string_view{text});
    auto over = !to.job_id.empty() && is_final(x.state);
    if (over)
      to.to->end();
    return !kept || over;
  });
  if (is_final(x.state)) {
    state.progress.erase(x.job_id);
    state.news.erase(x.job_id);
  }
  rest_when_alone(state);
}

void take_progress(event_feed_pointer self, const pipeline::job_view& x) {
  auto& state = self->state;
  if (state.followers.empty() || is_final(x.record.state))
    return;
  state.progress[x.record.job_id] = x;
  state.news.insert(x.record.job_id);
  gather(self);
}

/// The latest of every job that concerns a client and has news for it.
std::vector<std::string_view> progress_for(const event_feed_state& state, const follower& to,
                                           std::map<std::string, std::string>& texts) {
  auto result = std::vector<std::string_view>{};
  for (const auto& [id, view] : state.progress) {
    if (!concerns(to, id, view.record.request.avatar_id) ||
        (!to.behind && !state.news.contains(id)))
      continue;
    auto& text = texts[id];
    if (text.empty())
      text = text_of(to_json(view));
    result.push_back(text);
  }
  return result;
}

/// Tells what has gathered to those who have read what they were told before.
void tell_progress(event_feed_pointer self) {
  auto& state = self->state;
  state.gathering = false;
  auto texts = std::map<std::string, std::string>{};
  auto wanting = false;
  for (const auto& [number, to] : state.followers)
    if (!to.live && !to.asking && to.to->backlog() == 0)
      ask_more(self, number);
  drop_if(state, [&](follower& to) {
    if (to.to->backlog() > 0) {
      to.behind = wanting = true;
      return false;
    }
    if (!to.live)
      return false;
    auto jobs = progress_for(state, to, texts);
    to.behind = false;
    return !jobs.empty() && !tell(self, to, std::span<const std::string_view>{jobs});
  });
  state.news.clear();
  if (wanting)
    gather(self);
}

void look_after(event_feed_pointer self) {
  auto& state = self->state;
  state.ticking = false;
  auto now = self->clock().now();
  drop_if(state, [&](follower& to) {
    if (!to.to->open())
      return true;
    // Who has bytes to read needs no sign of life.
    auto quiet = now - to.told >= state.config.heartbeat && to.to->backlog() == 0;
    if (quiet)
      to.told = now;
    return quiet && !to.to->tell_alive();
  });
  rest_when_alone(state);
  arm_tick(self);
}

} // namespace

event_feed_actor::behavior_type event_feed(event_feed_pointer self,
                                           const event_feed_config& config) {
  self->state.config = config;
  self->send(config.registry, atom::follow_v, caf::actor_cast<caf::strong_actor_ptr>(self));
  return {
      [=](atom::event, const pipeline::job_event& x) { tell_event(self, x); },
      [=](atom::progress, const pipeline::job_view& x) { take_progress(self, x); },
      [=](const follow_events& x) { follow(self, x); },
      [=](atom::tick) { look_after(self); },
      [=](atom::next) { tell_progress(self); },
  };
}

} // namespace musetalk::http
