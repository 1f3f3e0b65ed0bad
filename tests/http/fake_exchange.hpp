#pragma once

#include "http/exchange.hpp"
#include "http/problem.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

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

private:
  http::request in_;
  std::optional<http::response> answer_;
  std::filesystem::path file_;
  std::shared_ptr<fake_stream> stream_;
};

inline std::shared_ptr<fake_exchange> make_exchange(http::request in = {}) {
  in.id = "r1";
  return std::make_shared<fake_exchange>(std::move(in));
}

} // namespace musetalk::tests
