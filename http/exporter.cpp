#include "http/exporter.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace musetalk::http {

namespace {

namespace atom = actors::atom;
using running = exporter_state::running;

void pump_later(exporter_pointer self, std::chrono::milliseconds pause) {
  if (std::exchange(self->state.pumping, true))
    return;
  if (pause.count() == 0)
    self->send(self, atom::next_v);
  else
    self->delayed_send(self, pause, atom::next_v);
}

/// The version that is wanted. @throws error `version_not_found`.
std::string version_of(const pipeline::avatar& x, const std::string& wanted) {
  auto version = wanted.empty() ? x.current_version : wanted;
  if (version.empty() || !has_version(x, version))
    throw error{errc::version_not_found, wanted.empty()
                                             ? "The avatar has no version yet."
                                             : "The avatar has no version of that name."};
  return version;
}

/// Adopted avatars are plain folders, until a version of our own takes their place.
std::filesystem::path folder_of(const pipeline::store_layout& store, const pipeline::avatar& x,
                                const std::string& version) {
  auto folder = store.version(x.avatar_id, version);
  auto reason = std::error_code{};
  auto plain = version == x.current_version && !std::filesystem::is_directory(folder, reason);
  return plain ? store.link(x.avatar_id) : folder;
}

response head_of(const std::string& name, uint64_t bytes) {
  auto result = response{};
  result.headers.add("Content-Type", "application/x-tar");
  result.headers.add("Content-Disposition", "attachment; filename=\"" + name + ".tar\"");
  result.headers.add("Cache-Control", "no-store");
  // What is sent in pieces ends without saying whether it is whole: this tells.
  result.headers.add("Archive-Bytes", std::to_string(bytes));
  return result;
}

void begin(exporter_pointer self, const export_avatar& wish, const pipeline::avatar& found) {
  auto& state = self->state;
  auto opened = self->guarded([&] {
    auto version = version_of(found, wish.version);
    auto result = running{};
    result.name = found.avatar_id + " " + version;
    result.source =
        state.config.open(folder_of(state.config.store, found, version), found.avatar_id);
    return result;
  });
  if (!opened) {
    wish.to->fail(error{actors::code_of(opened.error()), actors::detail_of(opened.error())});
    return;
  }
  opened->to = wish.to->start_stream(head_of(found.avatar_id, opened->source.bytes));
  if (!opened->to)
    return;
  state.exports.push_back(std::move(*opened));
  pump_later(self, std::chrono::milliseconds{0});
}

enum class step { moved, waits, over };

step send_some(exporter_pointer self, running& x) {
  auto& state = self->state;
  if (x.to->backlog() > state.config.most_backlog)
    return x.to->open() ? step::waits : step::over;
  auto count = self->guarded([&] { return x.source.read(state.buffer); });
  if (!count) {
    spdlog::warn("export of avatar {} broke off: {}", x.name, actors::detail_of(count.error()));
    return step::over;
  }
  auto text = std::string_view{reinterpret_cast<const char*>(state.buffer.data()), *count};
  return *count > 0 && x.to->write(text) ? step::moved : step::over;
}

void pump(exporter_pointer self) {
  auto& state = self->state;
  state.pumping = false;
  auto moved = false;
  for (auto x = state.exports.begin(); x != state.exports.end();) {
    auto what = send_some(self, *x);
    moved = moved || what == step::moved;
    if (what == step::over)
      x->to->end();
    x = what == step::over ? state.exports.erase(x) : std::next(x);
  }
  if (!state.exports.empty())
    pump_later(self, moved ? std::chrono::milliseconds{0} : state.config.pause);
}

} // namespace

exporter_actor::behavior_type exporter(exporter_pointer self, const exporter_config& config) {
  self->state.config = config;
  self->state.buffer.resize(std::max<size_t>(config.piece_bytes, 1));
  return {
      [=](const export_avatar& x) {
        auto& state = self->state;
        if (state.exports.size() + state.opening >= state.config.max_exports) {
          x.to->fail(
              error{errc::queue_full, std::to_string(state.config.max_exports) +
                                          " avatars are being exported; that is the limit."});
          return;
        }
        ++state.opening;
        self->request(state.config.registry, state.config.timeout, atom::touch_v, x.id)
            .then(
                [=](const pipeline::avatar& found) {
                  --self->state.opening;
                  begin(self, x, found);
                },
                [=](const caf::error& why) {
                  --self->state.opening;
                  self->note(why);
                  x.to->fail(error{actors::code_of(why), actors::detail_of(why)});
                });
      },
      [=](atom::next) { pump(self); },
  };
}

} // namespace musetalk::http
