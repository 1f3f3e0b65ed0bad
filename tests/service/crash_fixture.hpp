#pragma once

#include "tests/service/service_fixture.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace musetalk::tests {

/// What a client may rely on, because it was told so.
struct told {
  std::set<std::string> jobs;                           ///< Accepted: each ends in one way.
  std::map<std::string, std::set<std::string>> present; ///< Versions of avatars.
  std::map<std::string, std::set<std::string>> gone;
  std::set<std::string> refusals; ///< Codes of requests and jobs that failed.

  bool holds(const std::string& avatar) const { return present.contains(avatar); }
};

/// A life of the service that is cut short: a client's script, a failpoint, a restart, a look at
/// what is left. The server is `musetalkd_failpoints`.
class Crash : public MockService {
public:
  // -- the client's script -----------------------------------------------------------
  /// A part of the script. False when the server did not answer.
  using step = bool (Crash::*)();

  /// Makes an avatar.
  bool make();
  /// Makes its second version, goes back to the first, deletes the second.
  bool make_second();
  bool go_back();
  bool delete_second();
  /// Queues, cancels and retries.
  bool cancel_and_retry();
  /// A video that is refused; a request that came before.
  bool be_refused();
  bool repeat();
  /// An avatar in the place of a plain folder.
  bool adopt();
  bool delete_avatar();
  /// Makes a video with a voice, and removes it.
  bool speak();
  /// Waits until nothing is left to delete.
  bool settle();

protected:
  Crash();

  /// All of it, in order.
  static std::vector<step> life();
  /// Runs it. False as soon as the server does not answer any more.
  bool run(const std::vector<step>& script);

  /// Folders as new; the server is ended.
  void begin_anew();

  // -- a failpoint ---------------------------------------------------------------------
  /// Starts the server with a failpoint armed; empty: with none.
  void start_with(const std::string& failpoint);
  /// Runs the script until the server is killed at the failpoint. False when it was not.
  bool dies_at(const std::string& failpoint, const std::vector<step>& script);
  /// Starts it, and it is killed before it listens. False when it was not.
  bool dies_starting(const std::string& failpoint);

  // -- what is left --------------------------------------------------------------------
  /// Starts the server without failpoints, waits until nothing moves, and looks at everything.
  void recover_and_check();
  /// What the server finds wrong with its store.
  json findings();
  /// What `musetalkd --check-store --deep` says and how it ends.
  std::pair<int, json> offline_check();

  told client_was;
  std::filesystem::path first_clip = media("one_frame.mp4");
  std::filesystem::path second_clip = short_clip();
  std::filesystem::path long_clip = media("carphone.mp4");

private:
  bool note(const httplib::Result& answer, const std::string& avatar);
  bool note_job(const std::string& id, const std::string& avatar);
};

/// The same with networks.
class NativeCrash : public Crash {
protected:
  NativeCrash();

  /// An avatar, a video, and a delete.
  static std::vector<step> short_life();
};

} // namespace musetalk::tests
