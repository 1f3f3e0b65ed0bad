#include "http/ctl/keeping.hpp"

namespace musetalk::http::ctl {

namespace {

exit_code refused(session& with, const reply& x) {
  with.out.problem(x);
  return exit_code::refused;
}

std::string path_of(const std::string& avatar_id, const std::string& what) {
  return "/mgmt/v1/avatars/" + percent_encoded(avatar_id) + "/" + what;
}

std::string text_in(const json& x, const char* name) {
  return x.contains(name) && x[name].is_string() ? printable(x[name].get<std::string>()) : "";
}

uint64_t bytes_in(const json& x, const char* name) {
  return x.contains(name) && x[name].is_number() ? x[name].get<uint64_t>() : 0;
}

/// One line for one removal.
std::string removal_text(const json& x, bool applied) {
  auto version = text_in(x, "version");
  auto failure = text_in(x, "failure");
  auto text = std::string{applied ? (failure.empty() ? "gone: " : "kept: ") : "would go: "};
  text += text_in(x, "avatar_id") + (version.empty() ? "" : " " + version) + ", " +
          size_text(bytes_in(x, "bytes")) + ". " + text_in(x, "detail");
  return failure.empty() ? text : text + " " + failure;
}

std::string sum_text(const json& plan) {
  auto limit = bytes_in(plan, "max_bytes");
  return "the store " + std::string{plan.value("applied", false) ? "had " : "has "} +
         size_text(bytes_in(plan, "bytes")) +
         (plan.value("applied", false) ? ", and has " : ", and would have ") +
         size_text(bytes_in(plan, "bytes_kept")) +
         (limit > 0 ? "; its limit is " + size_text(limit) : "");
}

} // namespace

exit_code clean(session& with, bool dry_run) {
  auto answer = dry_run ? with.service.get("/mgmt/v1/store/retention")
                        : with.service.post("/mgmt/v1/store/clean");
  if (!answer.ok())
    return refused(with, answer);
  auto text = std::string{};
  for (const auto& x : answer.body.value("removals", json::array()))
    text += removal_text(x, !dry_run) + "\n";
  with.out.result(answer.body, text + sum_text(answer.body));
  return exit_code::ok;
}

exit_code pin_avatar(session& with, const std::string& avatar_id, bool pinned) {
  auto answer = pinned ? with.service.put(path_of(avatar_id, "pin"))
                       : with.service.remove(path_of(avatar_id, "pin"));
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body, "avatar " + text_in(answer.body, "avatar_id") +
                                   (pinned ? " is pinned" : " is no longer pinned"));
  return exit_code::ok;
}

exit_code touch_avatar(session& with, const std::string& avatar_id) {
  auto answer = with.service.post(path_of(avatar_id, "touch"));
  if (!answer.ok())
    return refused(with, answer);
  with.out.result(answer.body, "avatar " + text_in(answer.body, "avatar_id") +
                                   " was last used at " + text_in(answer.body, "used_at"));
  return exit_code::ok;
}

} // namespace musetalk::http::ctl
