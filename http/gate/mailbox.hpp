#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <sys/eventfd.h>
#include <vector>

#include <pistache/os.h>

#include "http/gate/unique_fd.hpp"

namespace musetalk::http::gate {

class connection;

/// Wakes one epoll thread of Pistache for certain connections. Pistache's own `PollableQueue`
/// empties its event handle after it found the queue empty, and so loses the wake of what is pushed
/// between the two; this one empties it before.
class mailbox {
public:
  mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  /// Joins an epoll set, before any `push`.
  void bind(Pistache::Polling::Epoll& poller) {
    poller.addFd(event_.get(),
                 Pistache::Flags<Pistache::Polling::NotifyOn>{Pistache::Polling::NotifyOn::Read},
                 tag());
  }

  Pistache::Polling::Tag tag() const {
    return Pistache::Polling::Tag{static_cast<uint64_t>(event_.get())};
  }

  /// Any thread.
  void push(std::shared_ptr<connection> who) {
    {
      std::lock_guard guard{mutex_};
      if (closed_)
        return;
      waiting_.push_back(std::move(who));
    }
    poke();
  }

  /// Wakes the thread for nobody in particular. Any thread.
  void poke() noexcept { ::eventfd_write(event_.get(), 1); }

  /// Takes all that was pushed. The epoll thread.
  std::vector<std::shared_ptr<connection>> take() {
    eventfd_t ignored = 0;
    ::eventfd_read(event_.get(), &ignored);
    std::lock_guard guard{mutex_};
    return std::exchange(waiting_, {});
  }

  /// Drops what waits and takes nothing more.
  void close() {
    std::vector<std::shared_ptr<connection>> dropped;
    std::lock_guard guard{mutex_};
    closed_ = true;
    dropped.swap(waiting_);
  }

private:
  unique_fd event_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<connection>> waiting_;
  bool closed_ = false;
};

} // namespace musetalk::http::gate
