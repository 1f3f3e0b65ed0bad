#pragma once

#include "actors/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <vector>

namespace musetalk::tests {

/// What a fake REGISTRY was told.
struct registry_notes {
  std::vector<pipeline::job_request> submitted;
  std::vector<pipeline::job_progress> progress;
  std::vector<actors::job_outcome> outcomes;
  std::vector<pipeline::event_query> asked;
  int followers = 0;
  int ticks = 0;
  pipeline::avatar touched;            ///< Answer of `touch`; unknown while it has no id.
  std::vector<bool> cleaned;           ///< What was asked for: to apply, or only to tell.
  std::vector<int64_t> checked_before; ///< Times of questions for a version to compare.
  pipeline::version_ref to_scrub;      ///< Their answer.
  std::vector<std::string> scrubbed;
  /// Answers `event`; throws `musetalk::error` to refuse.
  std::function<pipeline::event_page(const pipeline::event_query&)> on_events =
      [](const pipeline::event_query&) {
        return pipeline::event_page{};
      };
  bool silent = false; ///< Takes jobs and never answers.
  /// Answers `submit`; throws `musetalk::error` to refuse.
  std::function<pipeline::job_view(const pipeline::job_request&)> on_submit =
      [](const pipeline::job_request& x) {
        auto result = pipeline::job_view{};
        result.record.job_id = "job";
        result.record.request = x;
        return result;
      };
};

/// Notes what it is told; knows no job and no avatar.
inline actors::registry_actor::behavior_type fake_registry(actors::registry_actor::pointer self,
                                                           registry_notes* notes) {
  using namespace actors;
  auto unknown = [] {
    return make_error(errc::job_not_found, "There is no job of that id.");
  };
  return {
      [=](atom::submit, const pipeline::job_request& x) -> caf::result<pipeline::job_view> {
        notes->submitted.push_back(x);
        if (notes->silent)
          return self->make_response_promise<pipeline::job_view>();
        return guard([&] { return notes->on_submit(x); });
      },
      [=](atom::examine, const pipeline::job_request&) -> caf::result<pipeline::job_view> {
        return unknown();
      },
      [=](atom::look, const job_id&) -> caf::result<pipeline::job_view> { return unknown(); },
      [=](atom::look, const avatar_id&) -> caf::result<pipeline::avatar> { return unknown(); },
      [](atom::list, const pipeline::avatar_filter&, const pipeline::page_request&) {
        return pipeline::avatar_page{};
      },
      [](atom::list, const pipeline::job_filter&, const pipeline::page_request&) {
        return pipeline::job_page{};
      },
      [=](atom::await_end, const job_id&) -> caf::result<pipeline::job_view> { return unknown(); },
      [=](atom::cancel, const job_id&,
          const pipeline::request_key&) -> caf::result<pipeline::job_view> { return unknown(); },
      [=](atom::retry, const job_id&,
          const pipeline::request_key&) -> caf::result<pipeline::job_view> { return unknown(); },
      [=](atom::history, const job_id&) -> caf::result<pipeline::job_history> { return unknown(); },
      [=](atom::event, const pipeline::event_query& x) -> caf::result<pipeline::event_page> {
        notes->asked.push_back(x);
        return guard([&] { return notes->on_events(x); });
      },
      [=](atom::follow, const caf::strong_actor_ptr&) { ++notes->followers; },
      [=](atom::remove, const avatar_id&, bool, const std::string&) -> caf::result<avatar_id> {
        return unknown();
      },
      [=](atom::activate, const version_change&) -> caf::result<pipeline::avatar> {
        return unknown();
      },
      [=](atom::remove, const version_change&) -> caf::result<pipeline::avatar> {
        return unknown();
      },
      [=](atom::list, const avatar_id&,
          const pipeline::page_request&) -> caf::result<pipeline::video_page> { return unknown(); },
      [=](atom::look, const video_id&) -> caf::result<pipeline::spoken_video> { return unknown(); },
      [=](atom::remove, const video_id&) -> caf::result<video_id> { return unknown(); },
      [](atom::verify, bool) { return pipeline::store_report{}; },
      [=](atom::touch, const avatar_id&) -> caf::result<pipeline::avatar> {
        if (notes->touched.avatar_id.empty())
          return unknown();
        return notes->touched;
      },
      [=](atom::pin, const avatar_id&, bool) -> caf::result<pipeline::avatar> { return unknown(); },
      [=](atom::clean, bool applied) {
        notes->cleaned.push_back(applied);
        return pipeline::retention_plan{};
      },
      [=](atom::scrub, int64_t before) {
        notes->checked_before.push_back(before);
        return notes->to_scrub;
      },
      [=](atom::scrub, const pipeline::version_ref& what, const std::string& damage) {
        notes->scrubbed.push_back(what.avatar_id + " " + what.version + " " + damage);
        notes->to_scrub = {};
      },
      [=](atom::tick) { ++notes->ticks; },
      [](atom::status) { return queue_status{}; },
      [](atom::status, const device_status&) {},
      [=](atom::progress, const pipeline::job_progress& x) { notes->progress.push_back(x); },
      [=](atom::outcome, const job_outcome& x) { notes->outcomes.push_back(x); },
      [](atom::next) {},
      [](atom::stop) {},
  };
}

} // namespace musetalk::tests
