#pragma once

#include "errors/error.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/make_message.hpp> // CAF_ERROR_CODE_ENUM needs it in 0.17

#include <string>
#include <type_traits>

// CAF 0.17 packs the category into an atom: at most 10 characters.
CAF_ERROR_CODE_ENUM(musetalk::errc, "musetalk")

namespace musetalk::actors {

/// An error as actors answer it: the code, and the public detail as context.
caf::error make_error(errc code, std::string detail);

/// The code of any error that an actor can answer. CAF's own become `timeout`, `worker_died` or
/// `internal`.
errc code_of(const caf::error& x);

/// The public sentence of an error; a general one for errors that are not ours.
std::string detail_of(const caf::error& x);

/// Writes what must not leave the process to the log.
void log_cause(const std::exception& x);

/// The wall between exceptions (LibTorch, libav, OpenCV, our pipeline) and errors (CAF). Every
/// handler that calls `pipeline/` calls it through here, so a throw answers one request instead of
/// killing the actor. Logs what only the log may know.
template <class F>
auto guard(F&& f) -> caf::expected<
    std::conditional_t<std::is_void_v<decltype(f())>, caf::unit_t, decltype(f())>> {
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      return caf::unit;
    } else {
      return f();
    }
  } catch (const error& e) {
    log_cause(e);
    return make_error(e.code(), e.detail());
  } catch (const std::bad_alloc& e) {
    log_cause(e);
    return make_error(errc::internal, "The service ran out of memory.");
  } catch (const std::exception& e) {
    log_cause(e);
    return make_error(errc::internal,
                      "The service failed in a way it should not. The log has the reason.");
  }
}

} // namespace musetalk::actors
