#include "config/load.hpp"

#include "errors/error.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace musetalk::config {

namespace {

/// Keys further away than this are no slip of the pen.
size_t near(std::string_view key) {
  return std::max<size_t>(2, key.size() / 3);
}

struct given {
  assignment what;
  origin from = origin::fallback;
};

/// Sorts one layer into `winners`; notes unknown keys.
void lay(const std::vector<assignment>& layer, origin from, std::map<std::string, given>& winners,
         std::vector<std::string>& faults, std::vector<std::string>& warnings) {
  for (const auto& x : layer) {
    if (find_setting(x.key) != nullptr) {
      if (!x.value.empty())
        winners[x.key] = {x, from};
      continue;
    }
    auto nearest = nearest_key(x.key);
    auto hint = nearest.empty() ? std::string{} : " Did you mean " + nearest + "?";
    if (x.key.starts_with(own_prefix) || from == origin::flag)
      faults.push_back(x.key + " (" + x.where + "): unknown setting." + hint);
    // Others' keys are none of our business, save a slip of one of the seed's in our own file.
    else if (from == origin::env_file && !nearest.empty() && !nearest.starts_with(own_prefix) &&
             edit_distance(x.key, nearest) <= 2)
      warnings.push_back(x.key + " (" + x.where + "): unknown setting, ignored." + hint);
  }
}

std::string shown(const setting& row, const std::string& value) {
  return row.secret && !value.empty() ? "***" : value;
}

/// Rules that need more than one setting.
void check_together(const settings& x, std::vector<std::string>& faults) {
  if (!x.listen.loopback() && !x.allow_anonymous)
    faults.push_back("MUSETALKD_LISTEN=" + x.listen.text() +
                     ": another address than loopback needs MUSETALKD_ALLOW_ANONYMOUS=true, since "
                     "whoever reaches it may upload and delete.");
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

} // namespace

std::string_view to_string(origin x) noexcept {
  switch (x) {
  case origin::fallback:
    return "default";
  case origin::env_file:
    return ".env";
  case origin::environment:
    return "environment";
  case origin::flag:
    return "flag";
  }
  return "default";
}

loaded_settings load(const setting_layers& layers) {
  auto result = loaded_settings{};
  auto faults = std::vector<std::string>{};
  auto winners = std::map<std::string, given>{};
  lay(layers.env_file, origin::env_file, winners, faults, result.warnings);
  lay(layers.environment, origin::environment, winners, faults, result.warnings);
  lay(layers.flags, origin::flag, winners, faults, result.warnings);
  for (const auto& row : setting_table()) {
    auto found = winners.find(std::string{row.key});
    auto x = found == winners.end() ? given{} : found->second;
    auto text = x.from == origin::fallback ? std::string{row.fallback} : x.what.value;
    try {
      row.store(result.values, text);
    } catch (const error& e) {
      faults.push_back(std::string{row.key} + "=" + shown(row, text) + " (" +
                       (x.what.where.empty() ? "default" : x.what.where) + "): " + e.detail() +
                       ".");
    }
    result.rows.push_back({&row, shown(row, text), x.from, x.what.where});
  }
  if (faults.empty())
    check_together(result.values, faults);
  if (faults.empty())
    return result;
  auto detail = std::accumulate(std::next(faults.begin()), faults.end(), faults.front(),
                                [](const auto& a, const auto& b) { return a + "\n" + b; });
  throw error{errc::settings_invalid, detail};
}

std::vector<assignment> environment_of(char** environ) {
  auto result = std::vector<assignment>{};
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    auto entry = std::string_view{*environ};
    auto end = entry.find('=');
    if (end != std::string_view::npos)
      result.push_back(
          {std::string{entry.substr(0, end)}, std::string{entry.substr(end + 1)}, "environment"});
  }
  return result;
}

std::string render(const loaded_settings& x) {
  auto key_width = size_t{0};
  auto value_width = size_t{0};
  auto origin_width = size_t{0};
  auto origins = std::vector<std::string>{};
  for (const auto& row : x.rows) {
    origins.push_back(row.from == origin::env_file ? row.where : std::string{to_string(row.from)});
    key_width = std::max(key_width, row.row->key.size());
    value_width = std::max(value_width, std::min<size_t>(row.text.size(), 40));
    origin_width = std::max(origin_width, origins.back().size());
  }
  auto result = std::string{};
  for (size_t i = 0; i < x.rows.size(); ++i) {
    const auto& row = *x.rows[i].row;
    result += padded(std::string{row.key}, key_width) + "  " + padded(x.rows[i].text, value_width) +
              "  " + padded(origins[i], origin_width) + "  " + padded(std::string{row.unit}, 11) +
              "  " + row.meaning + "\n";
  }
  return result;
}

std::string nearest_key(std::string_view key) {
  auto best = std::string{};
  auto least = near(key) + 1;
  for (const auto& row : setting_table()) {
    auto distance = edit_distance(key, row.key);
    if (distance < least) {
      least = distance;
      best = row.key;
    }
  }
  return best;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  // Two rows of the table of Wagner and Fischer (1974).
  auto above = std::vector<size_t>(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    auto current = std::vector<size_t>{i};
    for (size_t j = 1; j <= b.size(); ++j)
      current.push_back(std::min(
          {above[j] + 1, current[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)}));
    above = std::move(current);
  }
  return above.back();
}

} // namespace musetalk::config
