// From a complete head to a handler.
#include <algorithm>

#include "http/gate/connection.hpp"
#include "http/gate/exchange_impl.hpp"
#include "http/gate/percent.hpp"

namespace musetalk::http::gate {
namespace {

/// A body of at most this size is read and thrown away before a refusal, so that the connection
/// lives on.
constexpr uint64_t discarded_body_bytes = 64 * 1024;

bool is_request_id(std::string_view text) noexcept {
  auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, allowed);
}

} // namespace

std::shared_ptr<turn> connection::new_turn() {
  auto out = std::make_shared<turn>(hub_->now());
  out->in.id = hub_->next_request_id();
  out->in.remote = remote_;
  hub_->turn_began();
  return out;
}

void connection::begin_turn(message_head head) {
  turn_ = new_turn();
  auto& in = turn_->in;
  if (auto given = head.headers.get("X-Request-Id"); is_request_id(given))
    in.id = given;
  in.method = head.method;
  turn_->head_only = head.method == "HEAD";
  turn_->keep_alive = head.keep_alive;
  turn_->minor = head.minor;
  exchange_ = make_exchange(shared_from_this(), turn_);
  in.headers = std::move(head.headers);
  try {
    in.query = parse_query(head.query, hub_->bounds().max_query_pairs);
    in.path = percent_decode(head.path);
    route_turn(head);
  } catch (const error& what) {
    refusal_ = hub_->routes.render(what, in);
  }
  begin_body(head);
}

/// Finds the route, or the gate's own answer.
void connection::route_turn(const message_head& head) {
  auto& in = turn_->in;
  auto match = hub_->routes.find(head.method, head.path);
  route_ = match.found;
  if (hub_->draining) {
    refusal_ = hub_->routes.render(error{errc::stopping, "The server is stopping."}, in);
    refusal_->headers.set("Retry-After", "5");
  } else if (match.found) {
    in.pattern = route_->pattern;
    for (auto& [name, value] : match.params)
      in.params.emplace(name, percent_decode(value));
  } else if (head.path == "*") {
    refusal_ = response{204, {{"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}}, {}};
  } else if (match.allow.empty()) {
    refusal_ =
        hub_->routes.render(error{errc::route_not_found, "There is nothing at this path."}, in);
  } else if (head.method == "OPTIONS") {
    refusal_ = response{204, {{"Allow", match.allow}}, {}};
  } else {
    refusal_ =
        hub_->routes.render(error{errc::route_method, "This path does not take " + head.method +
                                                          "; it takes " + match.allow + "."},
                            in);
    refusal_->headers.set("Allow", match.allow);
  }
}

void connection::begin_body(const message_head& head) {
  if (!refusal_)
    open_body(head);
  auto small = !head.chunked && head.body_length.value_or(0) <= discarded_body_bytes;
  // Who waits for `100 Continue` may never send the body; who sends a long one should stop.
  if (refusal_ && head.has_body() && (head.expects_continue || !small)) {
    turn_->answered = true;
    enter_lingering();
    answer(turn_, *std::exchange(refusal_, {}), nullptr, {});
    exchange_.reset();
    return;
  }
  if (refusal_)
    body_.emplace(head, discarded_body_bytes);
  enter(state::body, deadlines::phase::body);
  if (head.expects_continue && head.has_body() && !turn_->answered)
    out_->send({{"HTTP/1.1 100 Continue\r\n\r\n", nullptr, {}}}, {});
  if (body_->complete())
    end_body();
}

/// Decides what to do with the body of a known route.
void connection::open_body(const message_head& head) {
  try {
    body_.emplace(head, route_->limits.max_body_bytes);
    if (!route_->open_sink)
      return;
    sink_ = route_->open_sink(exchange_);
    if (!sink_ && !turn_->answered)
      throw error(errc::internal, "The server cannot take this body.",
                  "a sink factory gave nothing");
  } catch (const error& what) {
    refusal_ = hub_->routes.render(what, turn_->in);
  } catch (const std::exception& cause) {
    refusal_ = hub_->routes.render(
        error{errc::internal, "The server cannot take this body.", cause.what()}, turn_->in);
  }
}

void connection::take_payload(std::string_view part) {
  turn_->bytes_in += part.size();
  if (refusal_)
    return;
  if (sink_)
    sink_->write(std::as_bytes(std::span{part}));
  else
    turn_->in.body += part;
}

void connection::end_body() {
  turn_->body_complete = true;
  enter(state::answering, deadlines::phase::answering);
  body_.reset();
  auto x = std::move(exchange_);
  if (auto own = std::exchange(refusal_, {})) {
    if (!turn_->answered.exchange(true))
      answer(turn_, std::move(*own), nullptr, {});
    return;
  }
  try {
    call_handler(x);
  } catch (const error& what) {
    x->fail(what);
  } catch (const std::exception& cause) {
    x->fail(error{errc::internal, "The server failed at this request.", cause.what()});
  }
}

void connection::call_handler(const exchange_ptr& x) {
  auto found = std::move(route_);
  if (auto sink = std::move(sink_))
    sink->finish();
  else if (found->handle)
    found->handle(x);
}

/// Answers an error that leaves the input in no state to go on with.
void connection::refuse(const error& what) {
  if (!turn_)
    turn_ = new_turn();
  auto owed = !turn_->answered.exchange(true);
  enter_lingering();
  abort_body(what);
  if (owed)
    answer_error(turn_, what);
}

void connection::abort_body(const error& why) noexcept {
  if (auto sink = std::move(sink_))
    sink->abort(why);
  exchange_.reset();
  body_.reset();
  route_.reset();
  refusal_.reset();
}

} // namespace musetalk::http::gate
