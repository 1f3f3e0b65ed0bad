#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

shape finding() {
  return object({{"code", text("Such as `version.file_missing`; docs/recovery.md lists all.")},
                 {"object", text("Such as `anna/v000002`, or a job's id.")},
                 {"what", text()},
                 {"remedy", text("What to do.")},
                 {"heals", yes_no("The next start of the service mends it by itself.")}});
}

shape report() {
  return object({{"sound", yes_no("Nothing was found.")},
                 {"deep", yes_no("Every file was read and its checksum compared.")},
                 {"avatars", whole()},
                 {"versions", whole()},
                 {"files", whole()},
                 {"bytes", whole("That were read; 0 unless deep.")},
                 {"findings", list(finding())},
                 {"cut", yes_no("There are more findings than are listed.")}});
}

} // namespace

calls store_calls() {
  return {
      {"POST",
       "/mgmt/v1/store/check",
       "checkStore",
       "operation",
       "Compares the files of the store with the catalog, and changes nothing",
       {{"deep", yes_no("Reads every file and compares its checksum.")}},
       {},
       {{200, "What does not fit.", {"application/json", report()}, {}}},
       asking({errc::queue_full, errc::worker_died, errc::storage_failed, errc::catalog_failed})},
  };
}

} // namespace musetalk::http::api
