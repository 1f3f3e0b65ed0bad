#include "http/gate/file_answer.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>

#include "errors/error.hpp"

namespace musetalk::http::gate {
namespace {

std::string date_text(std::time_t when) {
  std::tm parts{};
  char buffer[40];
  ::gmtime_r(&when, &parts);
  return {buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

/// Size and time of the last change to the nanosecond: changes whenever the bytes do, unless
/// somebody sets the clock back.
std::string entity_tag(const struct stat& about) {
  char text[80];
  auto size = std::snprintf(text, sizeof text, "\"%llx-%llx%08lx\"",
                            static_cast<unsigned long long>(about.st_size),
                            static_cast<unsigned long long>(about.st_mtim.tv_sec),
                            static_cast<unsigned long>(about.st_mtim.tv_nsec));
  return {text, static_cast<size_t>(size)};
}

/// `If-None-Match` compares weakly: `W/` does not count.
bool lists_tag(std::string_view list, std::string_view tag) noexcept {
  while (!list.empty()) {
    auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    while (element.starts_with(' '))
      element.remove_prefix(1);
    while (element.ends_with(' '))
      element.remove_suffix(1);
    if (element.starts_with("W/"))
      element.remove_prefix(2);
    if (element == tag || element == "*")
      return true;
  }
  return false;
}

bool is_unchanged(const request& in, const response& head) {
  if (auto tags = in.headers.find("If-None-Match"))
    return lists_tag(*tags, head.headers.get("ETag"));
  auto since = in.headers.find("If-Modified-Since");
  return since && *since == head.headers.get("Last-Modified");
}

} // namespace

file_answer answer_with_file(const request& in, response head, const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe that lies there must not wait.
  auto file = std::make_shared<unique_fd>(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about {};
  if (!*file || ::fstat(file->get(), &about) != 0)
    throw error(errc::storage_failed, "The file cannot be read.",
                path.string() + ": " + std::strerror(errno));
  if (!S_ISREG(about.st_mode))
    throw error(errc::storage_failed, "The file cannot be read.",
                path.string() + ": no plain file");
  auto size = static_cast<uint64_t>(about.st_size);
  head.body.clear();
  head.status = 200;
  head.headers.set("Accept-Ranges", "bytes");
  if (!head.headers.find("ETag"))
    head.headers.set("ETag", entity_tag(about));
  if (!head.headers.find("Last-Modified"))
    head.headers.set("Last-Modified", date_text(about.st_mtim.tv_sec));
  if (is_unchanged(in, head)) {
    head.status = 304;
    return {std::move(head), nullptr, {}};
  }
  auto range = in.headers.get("Range");
  // A range of a file that has changed since the client got the rest would not fit it.
  if (auto condition = in.headers.find("If-Range"); condition &&
                                                    *condition != head.headers.get("ETag") &&
                                                    *condition != head.headers.get("Last-Modified"))
    range = {};
  auto wanted = parse_range(range, size);
  switch (wanted.what) {
  case range_request::kind::whole:
    break;
  case range_request::kind::unsatisfiable:
    head.status = 416;
    head.headers.set("Content-Range", "bytes */" + std::to_string(size));
    return {std::move(head), nullptr, {}};
  case range_request::kind::part:
    head.status = 206;
    head.headers.set("Content-Range",
                     "bytes " + std::to_string(wanted.part.offset) + "-" +
                         std::to_string(wanted.part.offset + wanted.part.size - 1) + "/" +
                         std::to_string(size));
    return {std::move(head), std::move(file), wanted.part};
  }
  return {std::move(head), std::move(file), {0, size}};
}

} // namespace musetalk::http::gate
