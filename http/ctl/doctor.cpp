#include "http/ctl/doctor.hpp"

#include "pipeline/hash_memory.hpp"

#include <algorithm>

namespace musetalk::http::ctl {

namespace {

using state = finding::state;

std::string text_at(const json& x, const json::json_pointer& where) {
  auto found = x.contains(where) ? x.at(where) : json{};
  return found.is_null() ? "-"
                         : printable(found.is_string() ? found.get<std::string>() : found.dump());
}

std::string mark(state x) {
  return x == state::good ? "ok  " : x == state::note ? "note" : "BAD ";
}

std::string_view name(state x) {
  return x == state::good ? "good" : x == state::note ? "note" : "bad";
}

void show(output& out, const finding& x) {
  auto subject = x.subject;
  subject.resize(std::max<size_t>(subject.size(), 22), ' ');
  auto text = mark(x.how) + "  " + subject + "  " + x.value;
  if (!x.sha256.empty())
    text += "\n      sha256 " + x.sha256;
  if (!x.hint.empty())
    text += "\n      -> " + x.hint;
  auto object =
      json{{"check", x.subject}, {"state", name(x.how)}, {"value", x.value}, {"hint", x.hint}};
  if (!x.sha256.empty())
    object["sha256"] = x.sha256;
  out.result(object, text);
}

std::string usage_example(const std::string& url) {
  return "\nTo make an avatar of a video and see it:\n"
         "  musetalkctl --url " +
         url +
         " upload teacher.mp4 --id teacher --wait\n"
         "  musetalkctl --url " +
         url +
         " show teacher\n"
         "  curl -o preview.jpg " +
         url + "/mgmt/v1/avatars/teacher/preview.jpg";
}

} // namespace

service_report look_at_service(api& service) {
  auto report = service_report{};
  auto& result = report.findings;
  try {
    auto health = service.get("/health");
    const auto& x = health.body;
    auto status = text_at(x, "/status"_json_pointer);
    result.push_back({"service " + service.url(),
                      health.ok() && status == "ok" ? state::good : state::bad,
                      status + ", mode " + text_at(x, "/mode"_json_pointer) + ", engine " +
                          text_at(x, "/engine"_json_pointer),
                      status == "ok" ? "" : "GET /readyz says what is missing."});
    result.push_back({"its device", state::good,
                      text_at(x, "/device/device"_json_pointer) + " " +
                          text_at(x, "/device/name"_json_pointer) + ", weights " +
                          text_at(x, "/models/weights"_json_pointer),
                      ""});
    result.push_back({"its queue", state::good,
                      text_at(x, "/queue/running"_json_pointer) + " running, " +
                          text_at(x, "/queue/queued"_json_pointer) + " of " +
                          text_at(x, "/queue/limit"_json_pointer) + " waiting",
                      ""});
    if (auto weights = text_at(x, "/models/weights"_json_pointer);
        weights == "real" || weights == "synthetic" || weights == "none")
      report.weights = weights;
    auto avatars = service.get("/mgmt/v1/avatars?limit=1");
    result.push_back(
        {"its avatars", state::good, text_at(avatars.body, "/total"_json_pointer), ""});
  } catch (const unreachable& e) {
    result.push_back({"service " + service.url(), state::bad, e.what(),
                      "Start it: scripts/start.sh, or give its address with --url."});
  }
  return report;
}

exit_code doctor(session& with, const config::loaded_settings* settings, const std::string& fault,
                 bool hash) {
  auto service = look_at_service(with.service);
  auto bad = false;
  auto tell = [&](const std::vector<finding>& findings) {
    for (const auto& x : findings) {
      show(with.out, x);
      bad = bad || x.how == state::bad;
    }
  };
  tell(service.findings);
  if (settings != nullptr) {
    auto how = look_options{};
    how.service_weights = service.weights;
    how.hash = hash;
    how.hash_memory = pipeline::default_hash_memory();
    how.progress = [&](const std::string& file, uint64_t done, uint64_t total) {
      with.out.hashing(file, done, total);
    };
    tell(look_around(*settings, how));
  } else {
    tell({{"settings", state::bad, fault, "Correct them in .env or the environment."}});
  }
  if (with.out.terminal())
    with.out.result({}, usage_example(with.service.url()));
  return bad ? exit_code::unwell : exit_code::ok;
}

} // namespace musetalk::http::ctl
