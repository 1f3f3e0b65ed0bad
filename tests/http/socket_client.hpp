#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/http/raw_client.hpp"

namespace musetalk::http::test {

/// One frame of RFC 6455, as it came.
struct socket_frame {
  int opcode = -1; ///< -1: the connection ended.
  bool last = false;
  std::string payload;

  /// The code of a close frame; 0 when it has none.
  int code() const {
    return payload.size() < 2
               ? 0
               : static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
  }
};

/// Opcodes.
enum : int { op_more = 0, op_text = 1, op_binary = 2, op_close = 8, op_ping = 9, op_pong = 10 };

/// A WebSocket client that sends just the frames it is told to, well-formed or not.
class socket_client : public raw_client {
public:
  using raw_client::raw_client;

  /// The request of a handshake; the key is the example of RFC 6455 1.3.
  static std::string handshake(std::string_view path, std::string_view more = "") {
    return "GET " + std::string{path} +
           " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           std::string{more} + "\r\n";
  }

  raw_answer open(std::string_view path, std::string_view more = "") {
    send(handshake(path, more));
    auto out = raw_answer{};
    out.head = read_until("\r\n\r\n");
    out.status = out.head.size() < 12 ? 0 : std::stoi(out.head.substr(9, 3));
    return out;
  }

  /// A frame with a payload of any size. @param first The first byte: FIN, RSV and opcode.
  static std::string frame(uint8_t first, std::string_view payload, bool masked = true) {
    constexpr std::string_view key = "\x11\x22\x33\x44";
    auto out = std::string(1, static_cast<char>(first));
    auto bit = masked ? 0x80 : 0;
    auto size = payload.size();
    auto bytes = size < 126 ? 0 : size < 65'536 ? 2 : 8;
    out += static_cast<char>(bit | (bytes == 0 ? static_cast<int>(size) : bytes == 2 ? 126 : 127));
    for (auto i = bytes - 1; i >= 0; --i)
      out += static_cast<char>(size >> (8 * i));
    if (masked)
      out += key;
    for (size_t i = 0; i < size; ++i)
      out += masked ? static_cast<char>(payload[i] ^ key[i % 4]) : payload[i];
    return out;
  }

  bool say(int opcode, std::string_view payload) {
    return send(frame(static_cast<uint8_t>(0x80 | opcode), payload));
  }
  bool say_text(std::string_view text) { return say(op_text, text); }
  bool say_close(int code) {
    return say(op_close, std::string{static_cast<char>(code >> 8), static_cast<char>(code)});
  }

  socket_frame read_frame() {
    auto head = read_exactly(2);
    if (head.size() < 2)
      return {};
    auto size = static_cast<uint64_t>(head[1] & 0x7f);
    if (size >= 126) {
      auto wide = read_exactly(size == 126 ? 2 : 8);
      size = 0;
      for (auto c : wide)
        size = size << 8 | static_cast<uint8_t>(c);
    }
    auto out = socket_frame{head[0] & 0x0f, (head[0] & 0x80) != 0, {}};
    out.payload = read_exactly(size);
    return out;
  }

  /// The next message, an answer to a ping apart.
  std::string read_message() {
    auto x = read_frame();
    return x.opcode == op_text || x.opcode == op_binary
               ? x.payload
               : "(frame of opcode " + std::to_string(x.opcode) + ")";
  }
};

} // namespace musetalk::http::test
