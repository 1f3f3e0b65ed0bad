#include "http/ctl/commands.hpp"

#include <string>

namespace musetalk::http::ctl {

namespace {

std::string text_of(const json& x, const char* name) {
  return printable(x.value(name, ""));
}

std::string report_text(const json& x) {
  auto result = std::string{};
  for (const auto& f : x.value("findings", json::array()))
    result += text_of(f, "code") + "  " + text_of(f, "object") + "\n  " + text_of(f, "what") +
              "\n  " + text_of(f, "remedy") + "\n";
  return result + std::to_string(x.value("avatars", 0)) + " avatars, " +
         std::to_string(x.value("versions", 0)) + " versions, " +
         std::to_string(x.value("files", 0)) + " files: " +
         (x.value("sound", false)
              ? "sound"
              : std::to_string(x.value("findings", json::array()).size()) + " findings");
}

} // namespace

exit_code verify(session& with, bool deep) {
  auto x = with.service.post("/mgmt/v1/store/check" + std::string{deep ? "?deep=true" : ""});
  if (!x.ok()) {
    with.out.problem(x);
    return exit_code::refused;
  }
  with.out.result(x.body, report_text(x.body));
  return x.body.value("sound", false) ? exit_code::ok : exit_code::unwell;
}

} // namespace musetalk::http::ctl
