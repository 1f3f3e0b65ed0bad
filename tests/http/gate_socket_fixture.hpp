#pragma once

#include "http/web_socket.hpp"
#include "tests/http/gate_fixture.hpp"
#include "tests/http/socket_client.hpp"

namespace musetalk::http::test {

/// Tells the test what a WebSocket brings.
class recording_user final : public web_socket_user {
public:
  void on_message(const web_socket_ptr& from, message_kind kind, std::string_view bytes) override {
    if (bytes == "throw")
      throw std::runtime_error{"secret"};
    if (bytes == "hold")
      from->hold();
    if (echo)
      from->send(kind, std::string{bytes});
    messages.push(std::string{bytes});
  }
  void on_room(const web_socket_ptr&) override { rooms.push(true); }
  void on_close(close_code code) noexcept override { ends.push(static_cast<int>(code)); }

  bool echo = true;
  channel<std::string> messages;
  channel<bool> rooms;
  channel<int> ends;
};

/// The same server with `/socket`, which echoes.
class gate_socket_test : public gate_test {
protected:
  void start(std::function<void(server_options&)> change = {}) {
    routes_.add("GET", "/socket", {}, [this](exchange_ptr x) {
      if (auto made = x->upgrade(options_, user_))
        sockets_.push(made);
    });
    gate_test::start(std::move(change));
  }

  /// A client whose handshake is done.
  socket_client open(int receive_buffer_bytes = 0) {
    auto out = socket_client{port_, receive_buffer_bytes};
    EXPECT_EQ(out.open("/socket").status, 101);
    return out;
  }

  web_socket_options options_;
  std::shared_ptr<recording_user> user_ = std::make_shared<recording_user>();
  channel<web_socket_ptr> sockets_;
};

} // namespace musetalk::http::test
