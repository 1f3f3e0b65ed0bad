#include "actors/registry_steps.hpp"
#include "pipeline/store_check.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

// Whether store and catalog fit: the catalog's side from here, the disk's from the STORAGE WRITER.

namespace musetalk::actors::registry_steps {

namespace {

using pipeline::store_claims;
using pipeline::store_report;
using promise = caf::typed_response_promise<store_report>;

caf::expected<std::shared_ptr<const store_claims>> claims_now(registry_pointer self) {
  auto& state = self->state;
  auto keep = std::chrono::microseconds{state.config.keep_failed}.count();
  return self->guarded([&]() -> std::shared_ptr<const store_claims> {
    auto claims = state.parts.catalog->claims(state.parts.now_us() - keep);
    claims.upload_idle = state.config.upload_idle;
    return std::make_shared<const store_claims>(std::move(claims));
  });
}

template <class F>
void look(registry_pointer self, bool deep, promise reply, F on_report) {
  auto& state = self->state;
  auto claims = claims_now(self);
  if (!claims) {
    reply.deliver(claims.error());
    return;
  }
  self->request(state.parts.workers->get().storage, state.config.max_wait, atom::verify_v, *claims,
                deep)
      .then([=](const store_report& x) mutable { on_report(x); },
            [=](caf::error& why) mutable { reply.deliver(why); });
}

void answer(promise reply, const store_report& x) {
  for (const auto& finding : x.findings)
    spdlog::warn("check of the store: {} {}: {}", finding.code, finding.object, finding.what);
  reply.deliver(x);
}

} // namespace

caf::result<store_report> check_store(registry_pointer self, bool deep) {
  auto reply = self->make_response_promise<store_report>();
  look(self, deep, reply, [=](const store_report& first) {
    if (first.findings.empty()) {
      answer(reply, first);
      return;
    }
    // A change may have been half-way: on disk, and not yet in the catalog. What the STORAGE WRITER
    // answered before this report, the catalog has by now.
    look(self, false, reply,
         [=](const store_report& second) { answer(reply, pipeline::confirmed(first, second)); });
  });
  return reply;
}

} // namespace musetalk::actors::registry_steps
