#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace musetalk::http::test {

/// How long a test waits before it calls something lost. Nothing waits that long when all is well.
inline constexpr auto patience = std::chrono::seconds{20};

/// What came over the wire as one answer.
struct raw_answer {
  int status = 0;
  std::string head; ///< Status line and fields, as sent.
  std::string body; ///< Without chunked coding.

  /// The value of a field, or an empty text. Names as the server writes them.
  std::string field(std::string_view name) const {
    auto at = head.find("\r\n" + std::string{name} + ": ");
    if (at == head.npos)
      return {};
    at += name.size() + 4;
    return head.substr(at, head.find("\r\n", at) - at);
  }
};

/// A client that sends just the bytes it is told to.
class raw_client {
public:
  explicit raw_client(uint16_t port, int receive_buffer_bytes = 0, bool ipv6 = false)
      : fd_(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    auto wait = timeval{patience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    auto v4 = sockaddr_in{AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {}};
    auto v6 = sockaddr_in6{AF_INET6, htons(port), 0, in6addr_loopback, 0};
    auto at =
        ipv6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
    if (::connect(fd_, at, ipv6 ? sizeof v6 : sizeof v4) != 0)
      throw std::runtime_error("connect failed");
  }
  raw_client(raw_client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)) {}
  ~raw_client() { close(); }

  /// @returns false when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// Tells the server that nothing more will come.
  void end_sending() { ::shutdown(fd_, SHUT_WR); }

  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  /// Closes with RST, as a client does that crashes with unread data.
  void abort() {
    auto now = linger{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  /// Reads until `text` has come.
  /// @returns everything up to and with it, or what came before the end.
  std::string read_until(std::string_view text) {
    while (in_.find(text) == in_.npos && read_more())
      ;
    auto at = in_.find(text);
    return take(at == in_.npos ? in_.size() : at + text.size());
  }

  std::string read_exactly(size_t size) {
    while (in_.size() < size && read_more())
      ;
    return take(std::min(size, in_.size()));
  }

  /// Everything until the server closes. A reset counts as the end as well.
  std::string read_to_end() {
    while (read_more())
      ;
    return take(in_.size());
  }

  /// Whether something, or the end, can be read.
  bool readable_within(std::chrono::milliseconds wait) {
    auto look = pollfd{fd_, POLLIN, 0};
    return !in_.empty() || ::poll(&look, 1, static_cast<int>(wait.count())) > 0;
  }

  /// Whether the server closes without another byte.
  bool ends() { return in_.empty() && !read_more() && !timed_out_; }

  /// Reads one whole answer. An interim answer (100) counts as one.
  raw_answer read_answer(bool to_head_request = false) {
    raw_answer out;
    out.head = read_until("\r\n\r\n");
    if (out.head.size() < 12)
      return out;
    out.status = std::stoi(out.head.substr(9, 3));
    if (to_head_request || out.status < 200 || out.status == 204 || out.status == 304)
      return out;
    if (auto length = out.field("Content-Length"); !length.empty()) {
      out.body = read_exactly(std::stoul(length));
    } else if (out.field("Transfer-Encoding") == "chunked") {
      while (auto part = read_chunk())
        out.body += *part;
    } else {
      out.body = read_to_end();
    }
    return out;
  }

  /// The next chunk of a chunked answer, or nothing at its end.
  std::optional<std::string> read_chunk() {
    auto line = read_until("\r\n");
    auto size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
    auto out = read_exactly(size);
    read_exactly(2);
    return size == 0 ? std::nullopt : std::optional{out};
  }

  raw_answer get(std::string_view path) {
    send("GET " + std::string{path} + " HTTP/1.1\r\nHost: test\r\n\r\n");
    return read_answer();
  }

private:
  bool read_more() {
    char buffer[64 * 1024];
    auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got > 0)
      in_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }

  std::string take(size_t size) {
    auto out = in_.substr(0, size);
    in_.erase(0, size);
    return out;
  }

  int fd_ = -1;
  std::string in_;
  bool timed_out_ = false;
};

} // namespace musetalk::http::test
