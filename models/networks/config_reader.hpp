#pragma once

#include "models/checkpoint/json_reader.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// Takes sizes out of the JSON file beside a network's weights. Every number has a range, so that a
/// damaged file ends in a clear refusal and not in a huge allocation.
class config_reader {
public:
  /// @param json Must outlive this.
  /// @param title Of the file, for messages: `config.json of the VAE`.
  config_reader(const json_value& json, std::string title);

  /// The whole number of that key, or `fallback` where it is absent or null.
  /// @throws musetalk::error `models_invalid` below 1 or beyond `limit`, like every function below.
  int64_t positive(std::string_view key, int64_t fallback, int64_t limit = max_size) const;

  /// The number of that key, or `fallback`.
  double number(std::string_view key, double fallback) const;

  /// The truth of that key, or `fallback`.
  bool flag(std::string_view key, bool fallback) const;

  /// A list of 1 to 8 channel counts, each a multiple of `groups`.
  std::vector<int64_t> channels(std::string_view key, int64_t groups) const;

  /// A list of texts; empty where it is absent.
  std::vector<std::string> texts(std::string_view key) const;

  /// @throws musetalk::error `models_invalid` when the key is there, not null, and has another
  /// text.
  void expect(std::string_view key, std::string_view value) const;

  /// @throws musetalk::error `models_invalid` always: the title and the reason.
  [[noreturn]] void refuse(const std::string& why) const;

  /// Largest size of anything in a network of this family.
  static constexpr int64_t max_size = 8192;

private:
  const json_value* find(std::string_view key) const;

  const json_value* json_;
  std::string title_;
};

} // namespace musetalk::models
