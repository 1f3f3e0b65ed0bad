// From a handler's answer to the socket.
#include <charconv>
#include <ctime>

#include "http/gate/connection.hpp"

namespace musetalk::http::gate {
namespace {

/// The `Date` field, made once a second per thread.
const std::string& http_date() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  if (auto now = std::time(nullptr); now != made) {
    std::tm parts{};
    char buffer[40];
    ::gmtime_r(&now, &parts);
    auto size = std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text.assign(buffer, size);
    made = now;
  }
  return text;
}

/// Header values come from our own code, but may carry what a client sent: a line break would let
/// it write fields of its own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  auto start = out.size();
  out.append(name).append(": ").append(value);
  for (auto i = start; i < out.size(); ++i)
    if (static_cast<unsigned char>(out[i]) < 0x20 || out[i] == 0x7f)
      out[i] = ' ';
  out += "\r\n";
}

std::string head_text(const turn& x, const response& head) {
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + ' ';
  out.append(reason_phrase(head.status)).append("\r\n");
  append_field(out, "Date", http_date());
  append_field(out, "X-Request-Id", x.in.id);
  for (auto& [name, value] : head.headers)
    append_field(out, name, value);
  if (x.close_after)
    append_field(out, "Connection", "close");
  else if (x.minor == 0)
    append_field(out, "Connection", "keep-alive");
  return out;
}

std::string chunk(std::string_view bytes) {
  char size[16];
  auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string out(size, end);
  out.append("\r\n").append(bytes).append("\r\n");
  return out;
}

} // namespace

void connection::answer(const std::shared_ptr<turn>& x, response head,
                        std::shared_ptr<unique_fd> file, byte_range range) {
  x->close_after = !x->keep_alive || !x->body_complete || hub_->draining;
  x->status = head.status;
  piece out{head_text(*x, head), nullptr, {}};
  auto bodiless = head.status == 204 || head.status == 304 || head.status < 200;
  auto size = file ? range.size : head.body.size();
  if (!bodiless)
    append_field(out.text, "Content-Length", std::to_string(size));
  out.text += "\r\n";
  std::vector<piece> pieces;
  if (bodiless || x->head_only) {
    size = 0;
  } else if (file) {
    out.file = std::move(file);
    out.range = range;
  } else if (size <= 16 * 1024) {
    out.text += head.body;
  } else {
    pieces.push_back({std::move(head.body), nullptr, {}});
  }
  x->bytes_out = out.text.size() + (out.file || !pieces.empty() ? size : 0);
  pieces.insert(pieces.begin(), std::move(out));
  send_answer(x, std::move(pieces));
}

void connection::answer_error(const std::shared_ptr<turn>& x, const error& what) {
  auto made = hub_->routes.render(what, x->in);
  if (what.code() == errc::upgrade_required) {
    made.headers.set("Upgrade", "websocket");
    made.headers.set("Connection", "Upgrade");
    made.headers.set("Sec-WebSocket-Version", "13");
  }
  answer(x, std::move(made), nullptr, {});
}

void connection::send_answer(const std::shared_ptr<turn>& x, std::vector<piece> pieces) {
  auto taken = out_->send(std::move(pieces), [self = shared_from_this(), x] { self->sent(x); });
  if (!taken)
    finish(x, false);
}

void connection::sent(const std::shared_ptr<turn>& x) {
  x->flushed = true;
  finish(x, true);
  if (std::this_thread::get_id() != thread_id_ || !reading_)
    wake();
}

void connection::finish(const std::shared_ptr<turn>& x, bool delivered) {
  hub_->end_turn(*x, delivered);
}

bool connection::begin_stream(const std::shared_ptr<turn>& x, response head) {
  x->close_after = !x->keep_alive || !x->body_complete || hub_->draining || x->minor == 0;
  x->status = head.status;
  piece out{head_text(*x, head), nullptr, {}};
  if (x->minor == 1)
    append_field(out.text, "Transfer-Encoding", "chunked");
  out.text += "\r\n";
  if (!x->head_only && !head.body.empty())
    out.text += x->minor == 1 ? chunk(head.body) : head.body;
  x->bytes_out = out.text.size();
  std::lock_guard guard{x->stream_mutex};
  if (x->head_only) {
    send_answer(x, {std::move(out)});
    return false;
  }
  if (!out_->send({std::move(out)}, {})) {
    finish(x, false);
    return false;
  }
  x->stream_open = true;
  x->streaming = true;
  // The connection's thread looks for a client that leaves only while something streams.
  wake();
  return true;
}

bool connection::write_stream(const std::shared_ptr<turn>& x, std::string_view bytes) {
  std::lock_guard guard{x->stream_mutex};
  if (!x->stream_open || bytes.empty())
    return x->stream_open;
  auto text = x->minor == 1 ? chunk(bytes) : std::string{bytes};
  auto size = text.size();
  if (out_->send_bounded(std::move(text), hub_->bounds().stream_queue_bytes)) {
    x->bytes_out += size;
    return true;
  }
  x->stream_open = false;
  cut();
  return false;
}

web_socket_ptr connection::upgrade(const std::shared_ptr<turn>& x, web_socket_options options,
                                   std::shared_ptr<web_socket_user> user) {
  auto made = make_socket_session(hub_, x, options, std::move(user));
  x->status = 101;
  x->put_socket(made);
  // The client may have left just now; then nobody else will look.
  if (auto left = x->over() ? x->take_socket() : nullptr)
    left->start({}, {});
  wake();
  return made;
}

/// Pistache forgets the socket as one that was closed; the duplicate of it lives on.
void connection::hand_over(const std::shared_ptr<socket_session>& to) {
  closed_ = true;
  hub_->replace(shared_from_this(), to);
  to->start(out_->release(), std::exchange(leftover_, {}));
  if (hub_->draining)
    to->drain();
  turn_.reset();
}

void connection::end_stream(const std::shared_ptr<turn>& x) {
  std::lock_guard guard{x->stream_mutex};
  if (!std::exchange(x->stream_open, false))
    return;
  x->close_after = x->close_after || hub_->draining;
  send_answer(x, {{x->minor == 1 ? "0\r\n\r\n" : "", nullptr, {}}});
}

} // namespace musetalk::http::gate
