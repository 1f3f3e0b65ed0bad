#pragma once

#include "config/env_file.hpp"
#include "config/setting_table.hpp"

#include <string>
#include <vector>

namespace musetalk::config {

/// Who gave a value.
enum class origin : uint8_t { fallback, env_file, environment, flag };

/// `default`, `.env`, `environment`, `flag`.
std::string_view to_string(origin x) noexcept;

/// What was given, by layer. Later layers win: defaults < `.env` < environment < flags.
struct setting_layers {
  std::vector<assignment> env_file;
  std::vector<assignment> environment;
  std::vector<assignment> flags; ///< Keys as in the table, not as flags.
};

/// One setting as it came out.
struct resolved_setting {
  const setting* row = nullptr;
  std::string text;               ///< As given; `***` for a secret that is set.
  origin from = origin::fallback; ///< Whose value it is.
  std::string where;              ///< `.env:12`; empty for defaults.
};

/// Settings with their history.
struct loaded_settings {
  settings values;
  std::vector<resolved_setting> rows; ///< One per row of the table, in its order.
  std::vector<std::string> warnings;  ///< Keys that look like slips of the seed's keys.
};

/// Lays the layers over the defaults and checks everything. An empty value counts as not given.
/// Unknown keys are errors where they carry our prefix, and ignored elsewhere: `.env` and the
/// environment are shared with other programs.
/// @throws error `settings_invalid`; the detail names key, value, rule and origin of every fault.
loaded_settings load(const setting_layers& layers);

/// The process's environment. @param environ As `main` gets it; ends with null.
std::vector<assignment> environment_of(char** environ);

/// A table for people: key, value, origin, unit, meaning.
std::string render(const loaded_settings& x);

/// The key of the table nearest to `key` by edit distance; empty when none is near.
std::string nearest_key(std::string_view key);

/// Levenshtein distance, in bytes.
size_t edit_distance(std::string_view a, std::string_view b);

} // namespace musetalk::config
