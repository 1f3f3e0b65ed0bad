#include "http/gate/transport.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/socket.h>

#include <pistache/peer.h>
#include <pistache/tcp.h>

namespace musetalk::http::gate {
namespace {

constexpr size_t buffer_bytes = 128 * 1024;

constexpr std::string_view too_many_connections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n";

/// Tells the transport of new sockets; all else it sees by itself.
class peer_handler final : public Pistache::Tcp::Handler {
public:
  PROTOTYPE_OF(Pistache::Tcp::Handler, peer_handler)

  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    static_cast<gate::transport*>(transport())->admit(peer);
  }
  void onInput(const char*, size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
  void onDisconnection(const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
};

std::string address_text(const Pistache::Address& address) {
  auto port = address.port().toString();
  auto host = address.host();
  return host.find(':') == host.npos ? host + ":" + port : "[" + host + "]:" + port;
}

} // namespace

transport::transport(std::shared_ptr<hub> shared)
    : Pistache::Tcp::Transport(std::make_shared<peer_handler>()), hub_(std::move(shared)),
      mailbox_(std::make_shared<mailbox>()), buffer_(buffer_bytes) {}

transport::~transport() {
  mailbox_->close();
}

std::shared_ptr<Pistache::Aio::Handler> transport::clone() const {
  return std::make_shared<transport>(hub_);
}

void transport::registerPoller(Pistache::Polling::Epoll& poller) {
  Pistache::Tcp::Transport::registerPoller(poller);
  mailbox_->bind(poller);
  hub_->add(mailbox_);
}

void transport::admit(const std::shared_ptr<Pistache::Tcp::Peer>& peer) noexcept {
  auto fd = peer->fd();
  try {
    auto copy = unique_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (!copy) {
      ::shutdown(fd, SHUT_RDWR);
      return;
    }
    auto made =
        connection::make(hub_, fd, std::move(copy), address_text(peer->address()), mailbox_);
    if (!hub_->add(made)) {
      ::send(fd, too_many_connections.data(), too_many_connections.size(),
             MSG_NOSIGNAL | MSG_DONTWAIT);
      ::shutdown(fd, SHUT_RDWR);
      return;
    }
    connections_.emplace(fd, std::move(made));
  } catch (...) {
    ::shutdown(fd, SHUT_RDWR);
  }
}

void transport::onReady(const Pistache::Aio::FdSet& ready) {
  auto woken = false;
  auto queued = false;
  // Sockets first: whatever Pistache or a wake does next cannot make their events stale.
  for (auto& entry : ready) {
    auto tag = entry.getTag();
    if (tag == mailbox_->tag()) {
      woken = true;
    } else if (auto fd = static_cast<int>(tag.value()); peers.contains(fd)) {
      if (auto at = connections_.find(fd); at != connections_.end())
        at->second->on_ready(buffer_);
      forget_if_closed(fd);
    } else {
      queued = true;
      if (std::ranges::find(own_tags_, tag.value()) == own_tags_.end())
        own_tags_.push_back(tag.value());
    }
  }
  // Pistache's queue of new sockets can lose a wake (see `mailbox`), so it is also looked at with
  // every wake of ours, of which the sweeper sends some each second. None of its other queues is
  // ever used.
  if (queued || woken) {
    std::vector<Pistache::Polling::Event> own;
    for (auto tag : own_tags_)
      own.emplace_back(Pistache::Polling::Tag{tag})
          .flags.setFlag(Pistache::Polling::NotifyOn::Read);
    Pistache::Tcp::Transport::onReady(Pistache::Aio::FdSet{std::move(own)});
  }
  if (!woken)
    return;
  for (auto& x : mailbox_->take()) {
    x->on_wake(buffer_);
    forget_if_closed(x->handle());
  }
}

void transport::forget_if_closed(int fd) {
  auto at = connections_.find(fd);
  if (at != connections_.end() && !at->second->closed())
    return;
  if (at != connections_.end())
    connections_.erase(at);
  if (auto known = peers.find(fd); known != peers.end())
    removePeer(std::shared_ptr{known->second});
}

} // namespace musetalk::http::gate
