#pragma once

#include "config/settings.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace musetalk::http::ctl {

using json = nlohmann::ordered_json;

/// An answer of the service.
struct reply {
  int status = 0; ///< HTTP.
  json body;      ///< Null when it was no JSON.

  bool ok() const { return status >= 200 && status < 300; }
};

/// The service cannot be reached, or broke off in the middle.
class unreachable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What to upload.
struct upload_request {
  std::filesystem::path file;
  std::string avatar_id;
  std::string tutor_id; ///< Empty: none.
  bool apply_blur = false;
  std::string priority{}; ///< `high`, `normal` or `low`; empty: the service's own.
  bool force = false;     ///< Make it anew, though there is one of the same.
};

/// A form with one file, as it is sent.
struct form {
  std::string path; ///< Of the call.
  std::vector<std::pair<std::string, std::string>> texts;
  std::string file_field;
  std::filesystem::path file;
};

form form_of(const upload_request& what);

/// `?priority=high&force=true`, or less.
std::string job_query(const std::string& priority, bool force);

/// Told of the bytes sent so far and in all.
using upload_progress = std::function<void(uint64_t sent, uint64_t total)>;

/// The REST interface of a service, as a client sees it. One connection, one thread.
class api {
public:
  /// @param url Such as `http://127.0.0.1:9000`. @throws std::invalid_argument for another form.
  explicit api(const std::string& url);
  ~api();

  /// All calls: @throws unreachable.
  reply get(const std::string& path);
  reply post(const std::string& path, const json& body);
  reply post(const std::string& path);
  reply put(const std::string& path);

  /// Reads an answer as it comes, until it ends.
  /// @param last_event_id Sent along unless it is empty.
  /// @param take Gets the pieces of a body of status 200; false breaks off.
  /// @returns the status; the body of any other than 200. @throws unreachable also when the
  /// connection breaks, or when nothing comes for much longer than a sign of life takes.
  reply follow(const std::string& path, const std::string& last_event_id,
               const std::function<bool(std::string_view)>& take);
  reply remove(const std::string& path);

  /// Streams the file, in constant memory.
  /// @throws unreachable; std::invalid_argument when the file cannot be read.
  reply upload(const upload_request& what, const upload_progress& progress) {
    return send(form_of(what), progress);
  }
  reply send(const form& what, const upload_progress& progress);

  /// Fetches a body into a file, whole or not at all. The file is replaced.
  /// @throws unreachable; std::invalid_argument when it cannot be written.
  reply download(const std::string& path, const std::filesystem::path& to);

  const std::string& url() const { return url_; }

private:
  struct impl;
  std::string url_;
  std::unique_ptr<impl> impl_;
};

/// `%xx` for everything but letters, digits and `-._~`.
std::string percent_encoded(std::string_view text);

/// Where a service with these settings can be reached from this machine.
std::string url_of(const config::endpoint& listen);

} // namespace musetalk::http::ctl
