#pragma once

#include "http/exchange.hpp"
#include "http/problem.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace musetalk::tests {

/// A stream without a connection: keeps what is written.
class fake_stream : public http::stream {
public:
  bool write(std::string_view bytes) override {
    if (!open_)
      return false;
    text_ += bytes;
    return true;
  }
  void end() override { open_ = false; }
  bool open() const noexcept override { return open_; }
  size_t backlog() const noexcept override { return backlog_; }

  // -- what tests look at and set ------------------------------------------------
  /// What was written since the last call.
  std::string take() { return std::exchange(text_, {}); }
  void set_backlog(size_t bytes) { backlog_ = bytes; }
  /// As when the client leaves.
  void break_off() { open_ = false; }

private:
  std::string text_;
  size_t backlog_ = 0;
  bool open_ = true;
};

/// A WebSocket without a connection: keeps what is sent.
class fake_socket : public http::web_socket {
public:
  bool send(http::message_kind, std::string bytes) override {
    if (!open_ || full_)
      return false;
    sent_.push_back(std::move(bytes));
    return true;
  }
  void close(http::close_code code, std::string_view) override {
    open_ = false;
    closed_with_ = static_cast<int>(code);
  }
  void hold() override { held_ = true; }
  void resume() override { held_ = false; }
  bool open() const noexcept override { return open_; }
  size_t backlog() const noexcept override { return backlog_; }

  // -- what tests look at and set ------------------------------------------------
  /// What was sent since the last call.
  std::vector<std::string> take() { return std::exchange(sent_, {}); }
  void set_backlog(size_t bytes) { backlog_ = bytes; }
  void set_full(bool x) { full_ = x; }
  bool held() const { return held_; }
  int closed_with() const { return closed_with_; }

private:
  std::vector<std::string> sent_;
  size_t backlog_ = 0;
  bool full_ = false;
  bool open_ = true;
  bool held_ = false;
  int closed_with_ = 0;
};

/// An exchange without a connection: keeps the first answer.
class fake_exchange : public http::exchange {
public:
  explicit fake_exchange(http::request in = {}) : in_(std::move(in)) {
    // nop
  }

  const http::request& in() const noexcept override { return in_; }

  bool respond(http::response answer) override {
    if (answer_)
      return false;
    answer_ = std::move(answer);
    return true;
  }

  bool respond_file(http::response head, const std::filesystem::path& path) override {
    if (!std::filesystem::is_regular_file(path))
      throw error{errc::storage_failed, "no file"};
    file_ = path;
    return respond(std::move(head));
  }

  bool fail(const error& what) override { return respond(http::render_problem(what, in_)); }

  std::shared_ptr<http::stream> start_stream(http::response head) override {
    auto first = head.body;
    if (!respond(std::move(head)))
      return nullptr;
    stream_ = std::make_shared<fake_stream>();
    stream_->write(first);
    return stream_;
  }
  http::web_socket_ptr upgrade(http::web_socket_options,
                               std::shared_ptr<http::web_socket_user> user) override {
    if (!respond({101, {}, {}}))
      return nullptr;
    user_ = std::move(user);
    socket_ = std::make_shared<fake_socket>();
    return socket_;
  }
  void on_close(std::function<void(bool)>) override {}
  bool closed() const noexcept override { return false; }

  // -- what tests look at --------------------------------------------------------
  bool answered() const { return answer_.has_value(); }
  int status() const { return answer_ ? answer_->status : 0; }
  nlohmann::json body() const {
    return nlohmann::json::parse(answer_ ? answer_->body : "null", nullptr, false);
  }
  std::string header(std::string_view name) const {
    return answer_ ? std::string{answer_->headers.get(name)} : "";
  }
  /// The public code of a problem.
  std::string code() const { return body().value("code", "(none)"); }
  const std::filesystem::path& file() const { return file_; }
  /// Null until one is started.
  const std::shared_ptr<fake_stream>& opened() const { return stream_; }
  /// Null until the exchange is upgraded.
  const std::shared_ptr<fake_socket>& socket() const { return socket_; }
  /// As when the client sends text.
  void say(std::string_view text) { user_->on_message(socket_, http::message_kind::text, text); }

private:
  http::request in_;
  std::optional<http::response> answer_;
  std::filesystem::path file_;
  std::shared_ptr<fake_stream> stream_;
  std::shared_ptr<fake_socket> socket_;
  std::shared_ptr<http::web_socket_user> user_;
};

inline std::shared_ptr<fake_exchange> make_exchange(http::request in = {}) {
  in.id = "r1";
  return std::make_shared<fake_exchange>(std::move(in));
}

} // namespace musetalk::tests
