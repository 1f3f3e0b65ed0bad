#include "actors/registry_steps.hpp"
#include "pipeline/avatar_tag.hpp"

#include <spdlog/spdlog.h>

// Which version of an avatar is current, and the end of those that are not. Files first, as the
// next start takes the catalog's side from them.

namespace musetalk::actors::registry_steps {

namespace {

using promise = caf::typed_response_promise<pipeline::avatar>;

pipeline::avatar require_version(const registry_state& state, const version_change& x) {
  auto known = state.parts.catalog->find_avatar(x.avatar_id);
  if (!known)
    throw error(errc::avatar_not_found, "There is no avatar of that id.");
  if (state.removals.contains(x.avatar_id))
    throw error(errc::avatar_busy, "The avatar is being removed.");
  pipeline::require_match(*known, x.if_match);
  if (!has_version(*known, x.version))
    throw error(errc::version_not_found, "The avatar has no version of that name.");
  return *known;
}

// Asks the STORAGE WRITER, then changes the catalog, then answers the avatar as it is.
template <class Atom, class F>
caf::result<pipeline::avatar> change(registry_pointer self, Atom what, const version_change& x,
                                     F&& write) {
  auto& state = self->state;
  auto reply = self->make_response_promise<pipeline::avatar>();
  if (!x.key.key.empty())
    state.keys_at_work.insert(x.key.key);
  self->request(state.parts.workers->get().storage, state.config.step_timeout, what,
                avatar_id{x.avatar_id}, x.version)
      .then(
          [=](avatar_id&) mutable {
            self->state.keys_at_work.erase(x.key.key);
            auto changed = self->guarded([&] {
              write();
              return look_avatar(self, x.avatar_id);
            });
            if (changed)
              reply.deliver(std::move(*changed));
            else
              reply.deliver(changed.error());
          },
          [=](caf::error& why) mutable {
            self->state.keys_at_work.erase(x.key.key);
            reply.deliver(why);
          });
  return reply;
}

} // namespace

caf::result<pipeline::avatar> activate_version(registry_pointer self, const version_change& x) {
  auto earlier = self->guarded([&] { return earlier_target(self, x.key); });
  if (!earlier)
    return earlier.error();
  if (!earlier->empty()) {
    auto now = self->guarded([&] { return look_avatar(self, *earlier); });
    if (!now)
      return now.error();
    return std::move(*now);
  }
  auto known = self->guarded([&] { return require_version(self->state, x); });
  if (!known)
    return known.error();
  return change(self, atom::activate_v, x, [=] {
    self->state.parts.catalog->activate_version(x.avatar_id, x.version, stamped(self, x.key));
    self->state.uses[x.avatar_id] = self->state.parts.now_us();
    spdlog::info("avatar {} is at version {} again", x.avatar_id, x.version);
  });
}

caf::result<pipeline::avatar> remove_version(registry_pointer self, const version_change& x) {
  auto known = self->guarded([&] {
    auto found = require_version(self->state, x);
    if (found.current_version == x.version)
      throw error(errc::version_current, x.version + " is the current version.");
    if (speaks_now(self->state, x.avatar_id, x.version))
      throw error(errc::version_busy, "A job speaks with " + x.version + " at the moment.");
    return found;
  });
  if (!known)
    return known.error();
  return change(self, atom::remove_v, x, [=] {
    self->state.parts.catalog->remove_version(x.avatar_id, x.version);
    spdlog::info("version {} of avatar {} is removed", x.version, x.avatar_id);
  });
}

} // namespace musetalk::actors::registry_steps
