#include "http/gate/exchange_impl.hpp"

#include "http/gate/connection.hpp"
#include "http/gate/file_answer.hpp"
#include "http/gate/upgrade.hpp"

namespace musetalk::http::gate {
namespace {

class turn_stream final : public stream {
public:
  turn_stream(std::shared_ptr<connection> from, std::shared_ptr<turn> x)
      : connection_(std::move(from)), turn_(std::move(x)) {}

  ~turn_stream() override { turn_stream::end(); }

  bool write(std::string_view bytes) override { return connection_->write_stream(turn_, bytes); }

  void end() override { connection_->end_stream(turn_); }

  bool open() const noexcept override {
    std::lock_guard guard{turn_->stream_mutex};
    return turn_->stream_open && !turn_->over();
  }

  size_t backlog() const noexcept override { return connection_->backlog(); }

private:
  const std::shared_ptr<connection> connection_;
  const std::shared_ptr<turn> turn_;
};

class turn_exchange final : public exchange {
public:
  turn_exchange(std::shared_ptr<connection> from, std::shared_ptr<turn> x)
      : connection_(std::move(from)), turn_(std::move(x)) {}

  ~turn_exchange() override {
    if (!turn_->answered)
      turn_exchange::fail(error{errc::internal, "The server gave no answer."});
  }

  const request& in() const noexcept override { return turn_->in; }

  bool respond(response answer) override {
    if (turn_->answered.exchange(true))
      return false;
    connection_->answer(turn_, std::move(answer), nullptr, {});
    return true;
  }

  bool respond_file(response head, const std::filesystem::path& path) override {
    if (turn_->answered)
      return false;
    auto answer = answer_with_file(turn_->in, std::move(head), path);
    if (turn_->answered.exchange(true))
      return false;
    connection_->answer(turn_, std::move(answer.head), std::move(answer.file), answer.range);
    return true;
  }

  bool fail(const error& what) override {
    if (turn_->answered.exchange(true))
      return false;
    connection_->answer_error(turn_, what);
    return true;
  }

  std::shared_ptr<stream> start_stream(response head) override {
    if (turn_->answered.exchange(true) || !connection_->begin_stream(turn_, std::move(head)))
      return nullptr;
    return std::make_shared<turn_stream>(connection_, turn_);
  }

  web_socket_ptr upgrade(web_socket_options options,
                         std::shared_ptr<web_socket_user> user) override {
    check_upgrade(turn_->in, turn_->minor);
    if (turn_->answered.exchange(true))
      return nullptr;
    try {
      return connection_->upgrade(turn_, options, std::move(user));
    } catch (const error&) {
      turn_->answered = false;
      throw;
    }
  }

  void on_close(std::function<void(bool)> done) override { turn_->on_close(std::move(done)); }

  bool closed() const noexcept override { return turn_->over(); }

private:
  const std::shared_ptr<connection> connection_;
  const std::shared_ptr<turn> turn_;
};

} // namespace

exchange_ptr make_exchange(std::shared_ptr<connection> from, std::shared_ptr<turn> x) {
  return std::make_shared<turn_exchange>(std::move(from), std::move(x));
}

} // namespace musetalk::http::gate
