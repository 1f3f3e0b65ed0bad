#pragma once

#include "config/settings.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace musetalk::config {

/// Our own keys begin so; an unknown key with this prefix is an error.
inline constexpr std::string_view own_prefix = "MUSETALKD_";

/// One row of the table.
struct setting {
  std::string_view section;  ///< Heading in `.env.example`.
  std::string_view key;      ///< As in `.env` and the environment.
  std::string_view type;     ///< `yes/no`, `whole number`, `number`, `text`, `path`, ...
  std::string_view fallback; ///< The default, as text.
  std::string_view unit;     ///< `s`, `frames`, ...; empty where there is none.
  std::string meaning;       ///< One or two sentences for operators.
  std::string rule;          ///< What values are taken, for people: `1 to 64`.
  bool secret = false;       ///< Never shown.
  /// Parses the text into the struct. @throws error `settings_invalid` whose detail is the broken
  /// rule alone.
  std::function<void(settings&, std::string_view)> store;
};

/// The one table of settings, in the order in which they are shown.
std::span<const setting> setting_table();

/// The row of a key; null when there is none.
const setting* find_setting(std::string_view key);

/// The command-line flag of a key, without dashes: `MUSETALKD_QUEUE_LIMIT` → `queue-limit`,
/// `AVATARS_DIR` → `avatars-dir`.
std::string flag_of(std::string_view key);

/// The text of `.env.example`: every key with its default, unit, rule and meaning.
std::string example_file();

} // namespace musetalk::config
