#pragma once

#include "tests/service/server_process.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace musetalk::tests {

using json = nlohmann::json;

/// A server with folders of its own, driven over HTTP.
class Service : public ::testing::Test {
protected:
  Service();
  ~Service() override;

  // -- the server ----------------------------------------------------------------
  /// Starts it, or starts it again. From then on every answer that `client` gets is held to the
  /// service's own `/openapi.json`.
  void start();
  /// Which it is: the shipped one, or the one with failpoints.
  std::string server_name = "musetalkd";
  /// Its settings, before it is started.
  environment settings;
  std::unique_ptr<server_process> server;
  /// One connection to it; made anew by `start`.
  std::unique_ptr<httplib::Client> client;

  // -- its folders ---------------------------------------------------------------
  std::filesystem::path folder;  ///< Of this test.
  std::filesystem::path avatars; ///< `AVATARS_DIR`.
  std::filesystem::path videos;  ///< The one root of `video_path`.

  /// The names in a folder.
  static std::vector<std::string> names_in(const std::filesystem::path& x);
  /// Waits until uploads, staging and trash are empty, asking the server meanwhile. @returns what
  /// is left when it takes too long.
  std::vector<std::string> leftovers();

  // -- calls ---------------------------------------------------------------------
  httplib::MultipartFormDataItems form(const std::string& id, const std::filesystem::path& video);
  httplib::Result upload(const std::string& id, const std::filesystem::path& video,
                         const std::string& query = "?wait=300");
  httplib::Result create(const json& body, const std::string& query = "?wait=300");
  json get(const std::string& path);
  /// Waits until a job is final, and answers it.
  json final_job(const std::string& id);
};

/// The same without networks: `ENABLE_AVATAR=false`.
class MockService : public Service {
protected:
  MockService();
};

/// The body of an answer; null when there is none.
json body_of(const httplib::Result& x);

/// Whether an answer is that problem, with all members that each must have.
::testing::AssertionResult is_problem(const httplib::Result& x, int status,
                                      const std::string& code);

/// A video of the test media.
std::filesystem::path media(const std::string& name);

/// Ten frames of a man talking; `carphone.mp4` has a hundred.
std::filesystem::path short_clip();

/// The contents of a file.
std::string contents_of(const std::filesystem::path& x);

} // namespace musetalk::tests
