#include "http/event_client.hpp"
#include "http/event_text.hpp"

#include <utility>

namespace musetalk::http {

namespace {

response stream_head(std::string body) {
  auto result = response{};
  result.headers.add("Content-Type", "text/event-stream");
  result.headers.add("Cache-Control", "no-store");
  // Proxies that collect answers would hold events back.
  result.headers.add("X-Accel-Buffering", "no");
  result.body = std::move(body);
  return result;
}

class stream_listener final : public event_listener {
public:
  explicit stream_listener(std::shared_ptr<stream> to) : to_(std::move(to)) {}

  bool tell(const pipeline::event_page& page) override { return write(page_text(page)); }
  bool tell(int64_t sequence, std::string_view data) override {
    return write(event_text(sequence, data));
  }
  bool tell(std::span<const std::string_view> jobs) override {
    auto text = std::string{};
    for (auto job : jobs)
      text += progress_text(job);
    return write(text);
  }
  bool tell_alive() override { return write(heartbeat_text()); }
  void end() override { to_->end(); }
  void lose() override { to_->end(); }
  bool open() const noexcept override { return to_->open(); }
  size_t backlog() const noexcept override { return to_->backlog(); }

private:
  bool write(std::string_view text) { return text.empty() || to_->write(text); }
  std::shared_ptr<stream> to_;
};

class stream_client final : public event_client {
public:
  explicit stream_client(exchange_ptr to) : to_(std::move(to)) {}

  std::shared_ptr<event_listener> begin(const pipeline::event_page& page, bool ends,
                                        int64_t after) override {
    if (ends && after >= 0 && after <= page.last && page.events.empty()) {
      to_->respond({204, {}, {}});
      return nullptr;
    }
    auto stream = to_->start_stream(stream_head(stream_prelude() + page_text(page)));
    if (!stream || !ends)
      return stream ? std::make_shared<stream_listener>(std::move(stream)) : nullptr;
    stream->end();
    return nullptr;
  }
  void refuse(const error& why) override { to_->fail(why); }

private:
  exchange_ptr to_;
};

} // namespace

std::shared_ptr<event_client> make_event_stream(exchange_ptr to) {
  return std::make_shared<stream_client>(std::move(to));
}

} // namespace musetalk::http
