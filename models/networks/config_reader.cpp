#include "models/networks/config_reader.hpp"

#include "errors/error.hpp"

#include <utility>

namespace musetalk::models {

namespace {

constexpr size_t max_levels = 8;

} // namespace

config_reader::config_reader(const json_value& json, std::string title)
    : json_(&json), title_(std::move(title)) {
  // nop
}

const json_value* config_reader::find(std::string_view key) const {
  const auto* x = json_->find(key);
  return x && !x->is_null() ? x : nullptr;
}

int64_t config_reader::positive(std::string_view key, int64_t fallback, int64_t limit) const {
  const auto* x = find(key);
  auto value = x ? x->integer() : fallback;
  if (value < 1 || value > limit)
    refuse(std::string{key} + " is " + std::to_string(value) + " (1 to " + std::to_string(limit) +
           ")");
  return value;
}

double config_reader::number(std::string_view key, double fallback) const {
  const auto* x = find(key);
  return x ? x->number() : fallback;
}

bool config_reader::flag(std::string_view key, bool fallback) const {
  const auto* x = find(key);
  return x ? x->boolean() : fallback;
}

std::vector<int64_t> config_reader::channels(std::string_view key, int64_t groups) const {
  auto list = std::vector<int64_t>{};
  for (const auto& x : json_->at(key).items()) {
    auto n = x.integer();
    if (n < 1 || n > max_size || n % groups != 0)
      refuse(std::string{key} + " has " + std::to_string(n) + ", which is no multiple of " +
             std::to_string(groups) + " up to " + std::to_string(max_size));
    list.push_back(n);
  }
  if (list.empty() || list.size() > max_levels)
    refuse(std::string{key} + " has " + std::to_string(list.size()) + " levels (1 to " +
           std::to_string(max_levels) + ")");
  return list;
}

std::vector<std::string> config_reader::texts(std::string_view key) const {
  auto list = std::vector<std::string>{};
  if (const auto* x = find(key))
    for (const auto& item : x->items())
      list.push_back(item.text());
  return list;
}

void config_reader::expect(std::string_view key, std::string_view value) const {
  if (const auto* x = find(key); x && x->text() != value)
    refuse(std::string{key} + " is \"" + x->text() + "\", only \"" + std::string{value} +
           "\" is known");
}

void config_reader::refuse(const std::string& why) const {
  throw error{errc::models_invalid, title_ + ": " + why};
}

} // namespace musetalk::models
