// musetalkd: the server. Settings, signals, and the service between them.

#include "config/load.hpp"
#include "errors/error.hpp"
#include "http/check_store.hpp"
#include "http/composition.hpp"
#include "http/idle_threads.hpp"
#include "http/logging.hpp"
#include "http/service.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <thread>

extern char** environ;

namespace {

using namespace musetalk;

/// How the program ends; told by --help.
enum exit_code : int {
  stopped = 0,
  cannot_go_on = 1,     ///< A part that nothing can replace has died, or storage failed.
  settings_invalid = 2, ///< Also: another process holds AVATARS_DIR, the address is taken.
  not_in_time = 3,      ///< Stopped, but requests or actors had to be cut.
  store_unsound = 5,    ///< `--check-store` found something.
};

struct arguments {
  std::string env_file;
  std::vector<config::assignment> flags;
  bool print_config = false;
  bool print_example = false;
  bool check_store = false;
  bool deep = false;
  bool as_json = false;
};

/// Nothing when the program has said all there is to say; then `status` is its exit code.
std::optional<arguments> parse(int argc, char** argv, int& status) {
  auto app = CLI::App{"MuseTalk avatar server. Settings: defaults < .env < environment < flags.\n"
                      "Exit codes: 0 stopped, 1 cannot go on (see the log), 2 settings, 3 stopped "
                      "but not in time, 5 --check-store found something.\nSIGINT and SIGTERM stop "
                      "it; a second one at once.",
                      "musetalkd"};
  auto result = arguments{};
  app.set_version_flag("--version", "musetalkd " MUSETALKD_VERSION);
  app.add_option("--env-file", result.env_file, "Another file than .env");
  app.add_flag("--print-config", result.print_config, "Show every setting with its origin and end");
  app.add_flag("--print-example", result.print_example, "Show the text of .env.example and end");
  auto* check = app.add_flag("--check-store", result.check_store,
                             "Compare the files in AVATARS_DIR with the catalog and end; only "
                             "while no service runs there");
  app.add_flag("--deep", result.deep, "With --check-store: read every file for its checksum")
      ->needs(check);
  app.add_flag("--json", result.as_json, "With --check-store: one JSON object")->needs(check);
  // One flag for each row of the table; the rows check the values.
  auto values = std::vector<std::pair<std::string_view, std::string>>{};
  values.reserve(config::setting_table().size());
  for (const auto& row : config::setting_table()) {
    values.emplace_back(row.key, "");
    app.add_option("--" + config::flag_of(row.key), values.back().second,
                   row.meaning + " [" + std::string{row.fallback} + "]")
        ->group(std::string{row.section});
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    status = app.exit(e) == 0 ? stopped : settings_invalid;
    return std::nullopt;
  }
  for (const auto& [key, value] : values)
    if (!value.empty())
      result.flags.push_back({std::string{key}, value, "--" + config::flag_of(key)});
  return result;
}

config::loaded_settings load(const arguments& x) {
  auto layers = config::setting_layers{};
  auto named = !x.env_file.empty();
  // A file that was named must be there; the usual one may be missing.
  if (named || std::filesystem::exists(".env"))
    layers.env_file = config::read_env_file(named ? x.env_file : ".env");
  layers.environment = config::environment_of(environ);
  layers.flags = x.flags;
  return config::load(layers);
}

sigset_t stop_signals() {
  auto result = sigset_t{};
  sigemptyset(&result);
  for (auto x : {SIGINT, SIGTERM, SIGUSR1})
    sigaddset(&result, x);
  return result;
}

int wait_for_signal() {
  auto signals = stop_signals();
  auto caught = 0;
  while (sigwait(&signals, &caught) != 0) {
    // nop
  }
  return caught;
}

/// Ends the process at the next signal, without waiting for anybody: the next start cleans up as
/// after a crash.
void end_at_next_signal() {
  std::thread{[] {
    auto caught = wait_for_signal();
    std::fprintf(stderr, "second signal: ended at once\n");
    std::_Exit(128 + caught);
  }}.detach();
}

int serve(const config::loaded_settings& loaded) {
  auto died = std::atomic<bool>{false};
  auto fatal = [&](const std::string& reason) {
    spdlog::critical("{}", reason);
    died = true;
    ::kill(::getpid(), SIGUSR1);
  };
  auto service = http::service{loaded.values, fatal, loaded.rows};
  service.listen();
  auto caught = wait_for_signal();
  if (!died)
    spdlog::info("signal {}", caught);
  end_at_next_signal();
  auto in_time = service.stop();
  return died ? cannot_go_on : in_time ? stopped : not_in_time;
}

} // namespace

int main(int argc, char** argv) {
  auto status = int{stopped};
  auto wanted = parse(argc, argv, status);
  if (!wanted)
    return status;
  if (wanted->print_example) {
    std::cout << config::example_file();
    return stopped;
  }
  try {
    auto loaded = load(*wanted);
    if (wanted->print_config) {
      std::cout << config::render(loaded);
      return stopped;
    }
    if (wanted->check_store) {
      auto report = http::check_offline(loaded.values, wanted->deep);
      std::cout << (wanted->as_json ? http::to_json(report).dump() + "\n" : http::to_text(report));
      return report.findings.empty() ? stopped : store_unsound;
    }
    http::let_idle_threads_sleep(argv);
    // Before any thread starts, the logger's too: a thread that does not block them would die of
    // them, and the process with it.
    auto signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    http::start_logging(loaded.values);
    for (const auto& x : loaded.warnings)
      spdlog::warn("{}", x);
    http::set_up_process(loaded.values);
    status = serve(loaded);
  } catch (const error& e) {
    std::cerr << "musetalkd: " << e.detail() << "\n";
    spdlog::debug("{}", e.what());
    status = e.code() == errc::settings_invalid ? settings_invalid : cannot_go_on;
  } catch (const std::exception& e) {
    std::cerr << "musetalkd: " << e.what() << "\n";
    status = cannot_go_on;
  }
  http::stop_logging();
  return status;
}
