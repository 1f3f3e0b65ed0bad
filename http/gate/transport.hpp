#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include <pistache/transport.h>

#include "http/gate/connection.hpp"
#include "http/gate/mailbox.hpp"

namespace musetalk::http::gate {

/// One epoll thread of Pistache, with the reading of sockets taken over: Pistache would read 4 KiB
/// at a time until a socket is empty, which a fast sender never lets happen, and gives no way to
/// stop reading.
///
/// Pistache still accepts, spreads the sockets over its threads, polls and closes them. It never
/// writes.
class transport final : public Pistache::Tcp::Transport {
public:
  explicit transport(std::shared_ptr<hub> shared);
  ~transport() override;

  void onReady(const Pistache::Aio::FdSet& ready) override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;

  /// Pistache makes one copy per thread.
  std::shared_ptr<Pistache::Aio::Handler> clone() const override;

  /// A socket has come to this thread. Must not throw: an exception here would end the process.
  void admit(const std::shared_ptr<Pistache::Tcp::Peer>& peer) noexcept;

private:
  void forget_if_closed(int fd);
  const std::shared_ptr<hub> hub_;
  const std::shared_ptr<mailbox> mailbox_;
  std::vector<char> buffer_;
  std::unordered_map<int, std::shared_ptr<connection>> connections_; ///< By Pistache's handle.
  std::vector<uint64_t>
      own_tags_; ///< Event handles of Pistache's queues, as far as they have fired.
};

} // namespace musetalk::http::gate
