#include "http/server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <sys/resource.h>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <pistache/listener.h>

#include "errors/error.hpp"
#include "http/gate/hub.hpp"
#include "http/gate/transport.hpp"

namespace musetalk::http {
namespace {

/// File handles for everything that is no connection.
constexpr size_t reserved_files = 96;

bool is_ip_address(const std::string& host) noexcept {
  unsigned char raw[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), raw) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), raw) == 1;
}

server_options completed(server_options options) {
  if (!options.now)
    options.now = [] {
      return std::chrono::steady_clock::now();
    };
  auto files = raise_open_file_limit();
  auto possible = (std::max(files, reserved_files + 2) - reserved_files) / 2;
  options.limits.max_connections = std::min(options.limits.max_connections, possible);
  options.threads = std::max<size_t>(options.threads, 1);
  return options;
}

} // namespace

size_t raise_open_file_limit() noexcept {
  auto files = rlimit{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
    return 1024;
  auto wanted = files;
  wanted.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0)
    files = wanted;
  return static_cast<size_t>(std::min<rlim_t>(files.rlim_cur, 1u << 20));
}

struct http_server::impl {
  impl(server_options options, router routes)
      : hub(std::make_shared<gate::hub>(completed(std::move(options)), std::move(routes))),
        sweeper(hub->io), work(hub->io.get_executor()) {}

  /// Sweeps now and then until the writer thread ends.
  void sweep_later() {
    sweeper.expires_after(hub->bounds().sweep_interval);
    sweeper.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled)
        return;
      hub->sweep();
      sweep_later();
    });
  }

  void stop() {
    if (listener)
      listener->shutdown();
    listener.reset();
    work.reset();
    hub->io.stop();
    if (writer.joinable())
      writer.join();
    // What has ended meanwhile still holds what it belongs to.
    hub->io.restart();
    hub->io.poll();
  }

  const std::shared_ptr<gate::hub> hub;
  std::unique_ptr<Pistache::Tcp::Listener> listener;
  boost::asio::steady_timer sweeper; ///< Cancelled by the end of the writer thread.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::thread writer;
};

http_server::http_server(server_options options, router routes)
    : impl_(std::make_unique<impl>(std::move(options), std::move(routes))) {}

http_server::~http_server() {
  drain(std::chrono::milliseconds{0});
}

uint16_t http_server::listen() {
  auto& options = impl_->hub->options;
  auto where = options.host + ":" + std::to_string(options.port);
  if (!is_ip_address(options.host))
    throw error(errc::settings_invalid,
                "The address to listen on is no IP address: " + where + ".");
  using Pistache::Tcp::Options;
  try {
    auto host =
        options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
    Pistache::Address address{host, Pistache::Port{options.port}};
    auto listener = std::make_unique<Pistache::Tcp::Listener>(address);
    auto flags = Options::ReuseAddr | Options::NoDelay | Options::CloseOnExec;
    listener->init(options.threads, Pistache::Flags<Options>{flags}, "http");
    listener->setTransportFactory(
        [hub = impl_->hub] { return std::make_shared<gate::transport>(hub); });
    listener->bind();
    impl_->listener = std::move(listener);
    impl_->listener->runThreaded();
  } catch (const std::exception& cause) {
    throw error(errc::settings_invalid, "Cannot listen on " + where + "; is the port taken?",
                cause.what());
  }
  impl_->sweep_later();
  impl_->writer = std::thread([hub = impl_->hub] {
    ::pthread_setname_np(::pthread_self(), "http-writer");
    hub->io.run();
  });
  return static_cast<uint16_t>(impl_->listener->getPort());
}

size_t http_server::drain(std::chrono::milliseconds timeout) {
  auto& hub = *impl_->hub;
  if (hub.draining.exchange(true) || !impl_->listener)
    return 0;
  auto now = std::chrono::steady_clock::now();
  for (auto& x : hub.connections())
    x->drain();
  hub.wait_for_turns(now + timeout);
  // The last bytes are with the kernel; a client that reads them closes at once.
  hub.wait_for_connections(now +
                           std::min<std::chrono::milliseconds>(timeout, std::chrono::seconds{1}));
  auto cut = hub.turns();
  for (auto& x : hub.connections())
    x->cut();
  hub.wait_for_connections(std::chrono::steady_clock::now() + std::chrono::seconds{5});
  impl_->stop();
  return cut;
}

size_t http_server::connections() const noexcept {
  return impl_->hub->connection_count();
}

} // namespace musetalk::http
