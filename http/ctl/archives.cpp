#include "http/ctl/archives.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

namespace musetalk::http::ctl {

namespace {

/// A tar ends with two blocks of zeros; one that broke off on its way does not.
bool is_whole(const std::filesystem::path& file) {
  auto end = std::vector<char>(1024, 'x');
  auto in = std::ifstream{file, std::ios::binary};
  in.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
  in.read(end.data(), static_cast<std::streamsize>(end.size()));
  return in && std::all_of(end.begin(), end.end(), [](char c) { return c == 0; });
}

} // namespace

exit_code export_avatar(session& with, const export_arguments& what) {
  auto path = "/mgmt/v1/avatars/" + percent_encoded(what.avatar_id) + "/export";
  if (!what.version.empty())
    path += "?version=" + percent_encoded(what.version);
  auto part = what.output;
  part += ".part";
  auto answer = with.service.download(path, part);
  auto fault = std::error_code{};
  if (!answer.ok()) {
    std::filesystem::remove(part, fault);
    with.out.problem(answer);
    return exit_code::refused;
  }
  if (!is_whole(part)) {
    std::filesystem::remove(part, fault);
    with.out.fault("the archive broke off", "Try again; the log of the service has the reason.");
    return exit_code::refused;
  }
  std::filesystem::rename(part, what.output, fault);
  if (fault)
    throw std::invalid_argument{what.output.string() + " cannot be written"};
  auto bytes = std::filesystem::file_size(what.output, fault);
  with.out.result({{"avatar_id", what.avatar_id}, {"file", what.output.string()}, {"bytes", bytes}},
                  "avatar " + what.avatar_id + " is in " + what.output.string() + ", " +
                      size_text(bytes));
  return exit_code::ok;
}

exit_code import_avatar(session& with, const import_arguments& what, bool wait) {
  auto body =
      form{"/mgmt/v1/avatars/import", {{"avatar_id", what.avatar_id}}, "archive", what.file};
  if (!what.tutor_id.empty())
    body.texts.emplace_back("tutor_id", what.tutor_id);
  auto answer =
      with.service.send(body, [&](uint64_t sent, uint64_t total) { with.out.upload(sent, total); });
  if (!answer.ok()) {
    with.out.problem(answer);
    return exit_code::refused;
  }
  auto job = answer.body.value("job_id", "");
  with.out.result(answer.body, "job " + printable(job) + " imports avatar " + what.avatar_id);
  return wait ? wait_for_job(with, job) : exit_code::ok;
}

} // namespace musetalk::http::ctl
