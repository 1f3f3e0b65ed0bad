#include "actors/errors.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

#include <spdlog/spdlog.h>

#include <utility>

namespace musetalk::actors {

namespace {

constexpr auto own_category = caf::detail::error_factory<errc>::category;
constexpr auto system_category = caf::atom("system");
constexpr auto exit_category = caf::atom("exit");

// What CAF itself answers when an actor is gone, dies, or does not answer.
errc code_of_system(caf::sec x) {
  switch (x) {
  case caf::sec::request_timeout:
    return errc::timeout;
  case caf::sec::request_receiver_down:
  case caf::sec::runtime_error:
    return errc::worker_died;
  default:
    return errc::internal;
  }
}

// What the client sent, not what the service did: no reason to wake an operator.
bool lies_with_the_input(errc code) {
  const auto name = to_string(code);
  return code != errc::avatar_damaged &&
         (name.starts_with("request.") || name.starts_with("avatar.") ||
          name.starts_with("video.") || name.starts_with("face.") || code == errc::cancelled ||
          code == errc::queue_full || code == errc::job_not_found || code == errc::job_finished);
}

} // namespace

caf::error make_error(errc code, std::string detail) {
  return caf::make_error(code, std::move(detail));
}

errc code_of(const caf::error& x) {
  if (x.category() == own_category)
    return static_cast<errc>(x.code());
  if (x.category() == system_category)
    return code_of_system(static_cast<caf::sec>(x.code()));
  // An actor that quits answers what is left in its mailbox with its exit reason.
  if (x.category() == exit_category)
    return static_cast<caf::exit_reason>(x.code()) == caf::exit_reason::user_shutdown
               ? errc::stopping
               : errc::worker_died;
  return errc::internal;
}

std::string detail_of(const caf::error& x) {
  if (x.category() == own_category && x.context().match_elements<std::string>())
    return x.context().get_as<std::string>(0);
  switch (code_of(x)) {
  case errc::timeout:
    return "A step of the work did not answer in time.";
  case errc::worker_died:
    return "A part of the service ended before it answered. It has been started anew.";
  case errc::stopping:
    return "The service is stopping.";
  default:
    return "The service failed in a way it should not. The log has the reason.";
  }
}

void log_cause(const std::exception& x) {
  const auto* ours = dynamic_cast<const error*>(&x);
  const auto level =
      ours && lies_with_the_input(ours->code()) ? spdlog::level::info : spdlog::level::err;
  spdlog::log(level, "{}", x.what());
}

} // namespace musetalk::actors
