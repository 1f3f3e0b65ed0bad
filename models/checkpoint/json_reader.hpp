#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace musetalk::models {

/// A JSON value, as the files beside the weights need it. Strict RFC 8259, at most 32 levels deep,
/// no key twice. Of our own so that `models/` builds with LibTorch alone.
class json_value {
public:
  using array = std::vector<json_value>;
  using object = std::vector<std::pair<std::string, json_value>>;

  /// @throws musetalk::error `models_invalid` with the position of the first mistake.
  static json_value parse(std::string_view text);

  json_value() = default;
  template <class T>
  explicit json_value(T x) : data_(std::move(x)) {
    // nop
  }

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }

  /// The member of that name, or null when this is no object or has none.
  const json_value* find(std::string_view key) const;

  /// The member of that name.
  /// @throws musetalk::error `models_invalid` when absent, like every function below on another
  /// type.
  const json_value& at(std::string_view key) const;

  bool boolean() const;
  int64_t integer() const;
  double number() const;
  const std::string& text() const;
  const array& items() const;
  const object& members() const;

private:
  std::variant<std::monostate, bool, int64_t, double, std::string, array, object> data_;
};

} // namespace musetalk::models
