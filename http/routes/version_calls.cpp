#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"versions"};

std::vector<answer> versions() {
  return {{200, "The versions that there then are.", json_of("Versions"), {"ETag"}}};
}

} // namespace

calls version_calls() {
  return {
      {"GET",
       "/mgmt/v1/avatars/:id/versions",
       "listVersions",
       tag,
       "The versions of an avatar",
       {},
       {},
       versions(),
       asking({errc::avatar_id_invalid, errc::avatar_not_found})},
      {"POST",
       "/mgmt/v1/avatars/:id/versions/:version/activate",
       "activateVersion",
       tag,
       "Makes a version current",
       {if_match(), idempotency_key()},
       {},
       versions(),
       asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::version_not_found,
               errc::precondition_failed, errc::avatar_busy, errc::avatar_damaged,
               errc::storage_full, errc::storage_failed, errc::worker_died, errc::key_reused,
               errc::key_in_use})},
      {"DELETE",
       "/mgmt/v1/avatars/:id/versions/:version",
       "deleteVersion",
       tag,
       "Removes a version that is not current",
       {if_match()},
       {},
       versions(),
       asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::version_not_found,
               errc::version_current, errc::version_busy, errc::precondition_failed,
               errc::avatar_busy, errc::storage_full, errc::storage_failed, errc::worker_died})},
  };
}

} // namespace musetalk::http::api
