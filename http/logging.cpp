#include "http/logging.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>

namespace musetalk::http {

namespace {

constexpr auto access_name = "access";

std::string utc(std::chrono::system_clock::time_point at) {
  using namespace std::chrono;
  auto seconds = system_clock::to_time_t(at);
  auto parts = std::tm{};
  gmtime_r(&seconds, &parts);
  char text[32];
  auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  auto ms = duration_cast<milliseconds>(at.time_since_epoch()).count() % 1000;
  return std::string{text, length} + fmt::format(".{:03}Z", ms);
}

/// One JSON object in each line. A message that begins with `{` is one already: its members are
/// taken over, so that access lines stay searchable.
class json_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& x, spdlog::memory_buf_t& out) override {
    auto level = spdlog::level::to_string_view(x.level);
    auto line = nlohmann::ordered_json{{"at", utc(x.time)},
                                       {"level", std::string{level.data(), level.size()}}};
    auto text = std::string_view{x.payload.data(), x.payload.size()};
    auto members = text.starts_with('{') ? nlohmann::ordered_json::parse(text, nullptr, false)
                                         : nlohmann::ordered_json{};
    if (members.is_object())
      line.update(members);
    else
      line["message"] = text;
    auto json = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    out.append(json.data(), json.data() + json.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<json_formatter>();
  }
};

bool json_lines = false;

} // namespace

void start_logging(const config::settings& settings) {
  json_lines = settings.log_format == "json";
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  // The message of an access line is written by a thread of its own, so a stuck terminal or pipe
  // stops no request.
  spdlog::init_thread_pool(8192, 1);
  auto access = std::make_shared<spdlog::async_logger>(
      access_name, sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  auto logger = std::make_shared<spdlog::logger>("musetalkd", sink);
  if (json_lines)
    sink->set_formatter(std::make_unique<json_formatter>());
  else
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc));
  auto level = spdlog::level::from_str(settings.log_level);
  logger->set_level(level);
  access->set_level(level);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(logger);
  spdlog::register_logger(access);
}

namespace {

/// 503 is how a service that is not ready, or full, is meant to answer. What only looks and is
/// answered would bury the rest: clients that wait for a job ask several times a second.
spdlog::level::level_enum access_level(const access_record& x) {
  if (x.status >= 500 && x.status != 503)
    return spdlog::level::warn;
  const auto only_looks = x.method == "GET" || x.method == "HEAD";
  return only_looks && x.status < 400 ? spdlog::level::debug : spdlog::level::info;
}

} // namespace

void log_access(const access_record& x) {
  auto logger = spdlog::get(access_name);
  if (logger == nullptr)
    return;
  auto level = access_level(x);
  if (!logger->should_log(level))
    return;
  if (json_lines) {
    auto line = nlohmann::ordered_json{{"message", "request"},     {"request_id", x.request_id},
                                       {"remote", x.remote},       {"method", x.method},
                                       {"path", x.path},           {"route", x.pattern},
                                       {"status", x.status},       {"bytes_in", x.bytes_in},
                                       {"bytes_out", x.bytes_out}, {"took_us", x.took.count()},
                                       {"delivered", x.delivered}};
    logger->log(level, line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return;
  }
  logger->log(level, "{} {} -> {} in {:.1f} ms, {} B in, {} B out, {} [{}]{}", x.method, x.path,
              x.status, static_cast<double>(x.took.count()) / 1000., x.bytes_in, x.bytes_out,
              x.remote, x.request_id, x.delivered ? "" : " (client gone)");
}

void stop_logging() {
  spdlog::shutdown();
}

} // namespace musetalk::http
