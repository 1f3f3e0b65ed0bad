#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

shape removal() {
  return object({{"avatar_id", text()},
                 {"version", or_null(text("Null: the avatar with all its versions."))},
                 {"bytes", whole()},
                 {"reason", words({"surplus", "unused", "room"})},
                 {"detail", text("Measured value and limit.")},
                 {"failure", or_null(text("Why it did not go after all."))}});
}

shape plan() {
  return object({{"at", or_null(time())},
                 {"applied", yes_no("It was carried out.")},
                 {"bytes", whole("Of the store before.")},
                 {"bytes_kept", whole("After all removals.")},
                 {"max_bytes", or_null(whole("MUSETALKD_MAX_STORE_GB; null: no limit."))},
                 {"removals", list(removal(), "In the order in which they go.")}});
}

/// `touch`, `pin`: the avatar, as it then is.
call changed_avatar(std::string_view method, std::string_view path, std::string_view id,
                    std::string_view summary) {
  return {method,
          path,
          id,
          "keeping",
          summary,
          {},
          {},
          {{200, "The avatar.", json_of("AvatarSummary"), {}}},
          asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::catalog_failed})};
}

call whole_store(std::string_view method, std::string_view path, std::string_view id,
                 std::string_view summary) {
  return {
      method,
      path,
      id,
      "keeping",
      summary,
      {},
      {},
      {{200, "What goes and why.", {"application/json", plan()}, {}}},
      asking({errc::queue_full, errc::worker_died, errc::storage_failed, errc::catalog_failed})};
}

call export_avatar() {
  return {"GET",
          "/mgmt/v1/avatars/:id/export",
          "exportAvatar",
          "keeping",
          "Sends a version as a tar",
          {{"version", text("Else the current one.")}},
          {},
          {{200, "The archive, sent in pieces.", {"application/x-tar", {}}, {"Archive-Bytes"}}},
          asking({errc::avatar_id_invalid, errc::avatar_not_found, errc::version_not_found,
                  errc::queue_full, errc::storage_failed})};
}

call import_avatar() {
  auto archive = text("What `export` sent.");
  archive["contentMediaType"] = "application/octet-stream";
  auto form = object({{"avatar_id", text()},
                      {"archive", std::move(archive)},
                      maybe("tutor_id", text("Free text of at most 128 bytes."))});
  return {"POST",
          "/mgmt/v1/avatars/import",
          "importAvatar",
          "keeping",
          "Makes a version of an archive; everything in it is read as hostile and written anew",
          {wait(), prefer_wait(), idempotency_key()},
          {{"multipart/form-data", std::move(form)}},
          {{201,
            "The avatar is ready; with `wait`.",
            json_of("Accepted"),
            {"Location", "Preference-Applied", "Idempotency-Replayed"}},
           {202,
            "The job is queued.",
            json_of("Accepted"),
            {"Location", "Preference-Applied", "Idempotency-Replayed"}}},
          making_a_job({}, {errc::request_malformed})};
}

} // namespace

calls keeping_calls() {
  return {
      changed_avatar("POST", "/mgmt/v1/avatars/:id/touch", "touchAvatar",
                     "Says that an avatar is used"),
      changed_avatar("PUT", "/mgmt/v1/avatars/:id/pin", "pinAvatar",
                     "Keeps an avatar from going by itself"),
      changed_avatar("DELETE", "/mgmt/v1/avatars/:id/pin", "unpinAvatar",
                     "Lets an avatar go by the rules again"),
      whole_store("GET", "/mgmt/v1/store/retention", "showRetention",
                  "What the settings would have removed now"),
      whole_store("POST", "/mgmt/v1/store/clean", "cleanStore",
                  "Removes what the settings would have removed"),
      export_avatar(),
      import_avatar(),
  };
}

} // namespace musetalk::http::api
