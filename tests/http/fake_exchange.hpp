#pragma once

#include "http/exchange.hpp"
#include "http/problem.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace musetalk::tests {

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

  std::shared_ptr<http::stream> start_stream(http::response) override { return nullptr; }
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

private:
  http::request in_;
  std::optional<http::response> answer_;
  std::filesystem::path file_;
};

inline std::shared_ptr<fake_exchange> make_exchange(http::request in = {}) {
  in.id = "r1";
  return std::make_shared<fake_exchange>(std::move(in));
}

} // namespace musetalk::tests
