// musetalkctl: the client of musetalkd. Speaks only its REST interface.

#include "config/load.hpp"
#include "errors/error.hpp"
#include "http/ctl/archives.hpp"
#include "http/ctl/commands.hpp"
#include "http/ctl/doctor.hpp"
#include "http/ctl/keeping.hpp"

#include <CLI/CLI.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

extern char** environ;

namespace {

using namespace musetalk;
using namespace musetalk::http::ctl;

/// Settings of this machine, or why there are none. Only `doctor` insists on them.
struct local_settings {
  std::optional<config::loaded_settings> loaded;
  std::string fault;
};

local_settings read_settings(const std::string& env_file) {
  try {
    auto layers = config::setting_layers{};
    if (std::filesystem::exists(env_file))
      layers.env_file = config::read_env_file(env_file);
    layers.environment = config::environment_of(environ);
    return {config::load(layers), ""};
  } catch (const error& e) {
    return {std::nullopt, e.detail()};
  }
}

int terminal_columns() {
  auto size = winsize{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

using action = std::function<exit_code(session&)>;

void add_job_options(CLI::App& command, std::string& priority, bool& force) {
  command.add_option("--priority", priority, "high, normal or low")
      ->check(CLI::IsMember({"high", "normal", "low"}));
  command.add_flag("--force", force, "Make it anew, though there is one of the same video");
}

void add_validate_command(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("validate", "Say what a job of a video would meet");
  auto file = std::make_shared<std::string>();
  auto blur = std::make_shared<bool>(false);
  command->add_option("file", *file, "The video")->required();
  command->add_flag("--blur", *blur, "As if the background were to be blurred");
  command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return validate(with, *file, *blur);
    };
  });
}

void add_avatar_commands(CLI::App& app, action& chosen) {
  auto* upload_command = app.add_subcommand("upload", "Upload a video and make an avatar of it");
  auto what = std::make_shared<upload_request>();
  auto wait = std::make_shared<bool>(false);
  upload_command->add_option("file", what->file, "The video")->required();
  upload_command->add_option("--id", what->avatar_id, "Id of the avatar")->required();
  upload_command->add_option("--tutor", what->tutor_id, "Id of the tutor it belongs to");
  upload_command->add_flag("--blur", what->apply_blur, "Blur the background");
  upload_command->add_flag("--wait", *wait, "Wait for the end of the job");
  add_job_options(*upload_command, what->priority, what->force);
  upload_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return upload(with, *what, *wait);
    };
  });

  auto* create_command =
      app.add_subcommand("create", "Make an avatar of a video that the service can read");
  auto from = std::make_shared<create_arguments>();
  create_command->add_option("--id", from->avatar_id, "Id of the avatar")->required();
  create_command->add_option("--path", from->video_path, "The video, as the service sees it")
      ->required();
  create_command->add_option("--tutor", from->tutor_id, "Id of the tutor it belongs to");
  create_command->add_flag("--blur", from->apply_blur, "Blur the background");
  create_command->add_flag("--wait", *wait, "Wait for the end of the job");
  add_job_options(*create_command, from->priority, from->force);
  create_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return create(with, *from, *wait);
    };
  });

  auto* list_command = app.add_subcommand("list", "List the avatars");
  auto filter = std::make_shared<list_arguments>();
  list_command->add_option("--tutor", filter->tutor_id, "Only those of a tutor");
  list_command->add_option("--status", filter->status, "ready, preparing or failed");
  list_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return list_avatars(with, *filter);
    };
  });

  auto id = std::make_shared<std::string>();
  auto* show_command = app.add_subcommand("show", "Show all of one avatar");
  show_command->add_option("id", *id, "Id of the avatar")->required();
  show_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return show_avatar(with, *id);
    };
  });

  auto force = std::make_shared<bool>(false);
  auto* delete_command = app.add_subcommand("delete", "Delete an avatar with all its versions");
  delete_command->add_option("id", *id, "Id of the avatar")->required();
  delete_command->add_flag("--force", *force, "Cancel its job first, if one runs");
  auto version = std::make_shared<std::string>();
  delete_command->add_option("--version", *version, "Delete only this version");
  delete_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return version->empty() ? delete_avatar(with, *id, *force)
                              : delete_version(with, *id, *version);
    };
  });

  auto* versions_command = app.add_subcommand("versions", "List the versions of an avatar");
  versions_command->add_option("id", *id, "Id of the avatar")->required();
  versions_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return list_versions(with, *id);
    };
  });

  auto* activate_command = app.add_subcommand("activate", "Make another version current");
  activate_command->add_option("id", *id, "Id of the avatar")->required();
  activate_command->add_option("version", *version, "Such as v000001")->required();
  activate_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return activate_version(with, *id, *version);
    };
  });
}

void add_speech_commands(CLI::App& app, action& chosen) {
  auto* speak_command = app.add_subcommand("speak", "Have an avatar speak, and wait for the video");
  auto what = std::make_shared<speak_arguments>();
  speak_command->add_option("id", what->avatar_id, "Id of the avatar")->required();
  speak_command->add_option("sound", what->sound, "A file with sound")->required();
  speak_command->add_option("-o,--output", what->output,
                            "Where the video goes; without it the service keeps it only");
  // Filled by now: the options keep their places.
  what->options = {
      {"sync_mode", ""}, {"start_frame", ""}, {"fps", ""}, {"batch_size", ""}, {"crf", ""}};
  speak_command->add_option("--sync-mode", what->options[0].second,
                            "When the sound is longer than the avatar: loop, bounce or cut_off");
  speak_command->add_option("--start-frame", what->options[1].second, "First frame of the avatar");
  speak_command->add_option("--fps", what->options[2].second, "Frames per second, usually 25");
  speak_command->add_option("--batch-size", what->options[3].second,
                            "Frames that are computed together");
  speak_command->add_option("--crf", what->options[4].second, "Quality: 0 (best) to 51");
  speak_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return speak(with, *what);
    };
  });

  auto id = std::make_shared<std::string>();
  auto* videos_command = app.add_subcommand("videos", "List the videos that an avatar made");
  videos_command->add_option("id", *id, "Id of the avatar")->required();
  auto removed = std::make_shared<std::string>();
  videos_command->add_option("--delete", *removed, "Delete this one");
  videos_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return removed->empty() ? list_videos(with, *id) : delete_video(with, *id, *removed);
    };
  });
}

void add_archive_commands(CLI::App& app, action& chosen) {
  auto* export_command = app.add_subcommand("export", "Fetch an avatar as a tar");
  auto what = std::make_shared<export_arguments>();
  export_command->add_option("id", what->avatar_id, "Id of the avatar")->required();
  export_command->add_option("-o,--output", what->output, "Where it goes")->required();
  export_command->add_option("--version", what->version, "Another version than the current one");
  export_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return export_avatar(with, *what);
    };
  });

  auto* import_command = app.add_subcommand("import", "Make an avatar of such a tar");
  auto from = std::make_shared<import_arguments>();
  auto wait = std::make_shared<bool>(false);
  import_command->add_option("file", from->file, "The tar")->required();
  import_command->add_option("--id", from->avatar_id, "Id of the avatar")->required();
  import_command->add_option("--tutor", from->tutor_id, "Id of the tutor it belongs to");
  import_command->add_flag("--wait", *wait, "Wait for the end of the job");
  import_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return import_avatar(with, *from, *wait);
    };
  });
}

void add_keeping_commands(CLI::App& app, action& chosen) {
  auto* clean_command = app.add_subcommand("clean", "Remove what the settings no longer keep, now");
  auto dry_run = std::make_shared<bool>(false);
  clean_command->add_flag("--dry-run", *dry_run, "Only tell what would go, and why");
  clean_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return clean(with, *dry_run);
    };
  });

  auto id = std::make_shared<std::string>();
  auto add = [&](const char* name, const char* meaning, auto act) {
    auto* command = app.add_subcommand(name, meaning);
    command->add_option("id", *id, "Id of the avatar")->required();
    command->callback([=, &chosen] {
      chosen = [=](session& with) {
        return act(with, *id);
      };
    });
  };
  add("pin", "Keep an avatar from going by itself",
      [](session& with, const std::string& x) { return pin_avatar(with, x, true); });
  add("unpin", "Let an avatar go when its time has come",
      [](session& with, const std::string& x) { return pin_avatar(with, x, false); });
  add("touch", "Tell the service that an avatar is in use",
      [](session& with, const std::string& x) { return touch_avatar(with, x); });
}

void add_job_commands(CLI::App& app, action& chosen) {
  auto* jobs_command = app.add_subcommand("jobs", "List the jobs, newest first");
  auto filter = std::make_shared<jobs_arguments>();
  jobs_command->add_option("--status", filter->status, "Such as queued,running");
  jobs_command->add_option("--id", filter->avatar_id, "Only those of an avatar");
  jobs_command->add_option("--tutor", filter->tutor_id, "Only those of a tutor");
  jobs_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return list_jobs(with, *filter);
    };
  });

  auto id = std::make_shared<std::string>();
  auto wait = std::make_shared<bool>(false);
  auto* job_command = app.add_subcommand("job", "Show one job");
  job_command->add_option("id", *id, "Id of the job")->required();
  job_command->add_flag("--wait", *wait, "Wait for its end");
  auto history = std::make_shared<bool>(false);
  job_command->add_flag("--history", *history, "Show all that happened to it");
  job_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return show_job(with, *id, *wait, *history);
    };
  });

  auto* retry_command = app.add_subcommand("retry", "Try a failed or cancelled job again");
  retry_command->add_option("id", *id, "Id of the job")->required();
  retry_command->add_flag("--wait", *wait, "Wait for its end");
  retry_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return retry_job(with, *id, *wait);
    };
  });

  auto* watch_command = app.add_subcommand("watch", "Follow a job until it ends, or all of them");
  auto watched = std::make_shared<std::string>();
  watch_command->add_option("job", *watched, "Id of the job; without it all jobs are followed");
  watch_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return watch(with, *watched);
    };
  });

  auto* cancel_command = app.add_subcommand("cancel", "Cancel a job");
  cancel_command->add_option("id", *id, "Id of the job")->required();
  cancel_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return cancel_job(with, *id);
    };
  });
}

void add_store_commands(CLI::App& app, action& chosen) {
  auto deep = std::make_shared<bool>(false);
  auto* verify_command =
      app.add_subcommand("verify", "Compare the files in AVATARS_DIR with the catalog");
  verify_command->add_flag("--deep", *deep, "Read every file and compare its checksum");
  verify_command->callback([=, &chosen] {
    chosen = [=](session& with) {
      return verify(with, *deep);
    };
  });
}

exit_code run(const std::string& url, const action& chosen, output& out) {
  try {
    auto service = api{url};
    auto with = session{service, out, [](auto time) {
                          std::this_thread::sleep_for(time);
                        }};
    return chosen(with);
  } catch (const unreachable& e) {
    out.fault(e.what(), "Is it started (scripts/start.sh)? Another address: --url.");
    return exit_code::unreachable;
  } catch (const std::invalid_argument& e) {
    out.fault(e.what(), "");
    return exit_code::usage;
  }
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  auto app = CLI::App{"Client of musetalkd. Bars on a terminal, one JSON object in each line when "
                      "piped.\nExit codes: 0 done, 1 refused, 2 usage, 3 no service, 4 job failed, "
                      "5 doctor or verify found a fault.",
                      "musetalkctl"};
  app.set_version_flag("--version", "musetalkctl " MUSETALKD_VERSION);
  app.require_subcommand(1);
  auto url = std::string{};
  auto env_file = std::string{".env"};
  app.add_option("--url", url, "Where the service listens; default: MUSETALKD_LISTEN of .env")
      ->envname("MUSETALKCTL_URL");
  app.add_option("--env-file", env_file, "Another file than .env");
  auto chosen = action{};
  auto wants_settings = false;
  add_avatar_commands(app, chosen);
  add_validate_command(app, chosen);
  add_speech_commands(app, chosen);
  add_job_commands(app, chosen);
  add_store_commands(app, chosen);
  add_keeping_commands(app, chosen);
  add_archive_commands(app, chosen);
  auto local = local_settings{};
  auto no_hash = false;
  auto* doctor_command =
      app.add_subcommand("doctor", "Look at the service and this machine, and say what is wrong");
  doctor_command->add_flag("--no-hash", no_hash,
                           "Do not read weight files for their SHA-256 (seconds per GB, once)");
  doctor_command->callback([&] {
    wants_settings = true;
    chosen = [&](session& with) {
      return doctor(with, local.loaded ? &*local.loaded : nullptr, local.fault, !no_hash);
    };
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : static_cast<int>(exit_code::usage);
  }
  local = read_settings(env_file);
  if (!local.loaded && !wants_settings && url.empty())
    std::cerr << "warning: the settings are invalid, using the default address; see musetalkctl "
                 "doctor\n";
  if (url.empty())
    url = url_of(local.loaded ? local.loaded->values.listen : config::endpoint{});
  auto terminal = ::isatty(STDOUT_FILENO) == 1;
  auto out = output{std::cout, std::cerr, terminal, terminal ? terminal_columns() : 80};
  return static_cast<int>(run(url, chosen, out));
}
