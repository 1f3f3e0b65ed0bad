#include "http/ctl/event_reader.hpp"

#include <utility>

namespace musetalk::http::ctl {

namespace {

constexpr size_t max_event_bytes = 1 << 20;

} // namespace

event_reader::event_reader(std::function<void(const server_event&)> take) : take_(std::move(take)) {
  // nop
}

bool event_reader::push(std::string_view bytes) {
  while (!bytes.empty()) {
    auto feed = bytes.find('\n');
    line_ += bytes.substr(0, feed);
    if (line_.size() + event_.data.size() > max_event_bytes)
      return false;
    if (feed == std::string_view::npos)
      return true;
    bytes.remove_prefix(feed + 1);
    if (line_.ends_with('\r'))
      line_.pop_back();
    take_line(std::exchange(line_, {}));
  }
  return true;
}

void event_reader::restart() {
  line_.clear();
  event_ = {};
}

void event_reader::take_line(std::string_view line) {
  if (line.empty()) {
    end_event();
    return;
  }
  auto colon = line.find(':');
  auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (field == "data")
    event_.data += std::string{value} + "\n";
  else if (field == "event")
    event_.type = value;
  else if (field == "id")
    event_.id = value;
  // Comments and what is not known mean nothing.
}

void event_reader::end_event() {
  auto event = std::exchange(event_, {});
  if (!event.id.empty())
    last_id_ = event.id;
  if (event.data.empty())
    return;
  event.data.pop_back();
  take_(event);
}

} // namespace musetalk::http::ctl
