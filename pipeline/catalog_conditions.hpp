#pragma once

#include "pipeline/sqlite.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace musetalk::pipeline {

/// Conditions that hold together, with their values.
class conditions {
public:
  /// One of the values; no condition without a value.
  void add(const std::string& column, const std::vector<std::string>& values) {
    if (values.empty())
      return;
    auto marks = std::string{"?"};
    for (auto i = size_t{1}; i < values.size(); ++i)
      marks += ", ?";
    add_text(column + " IN (" + marks + ")");
    values_.insert(values_.end(), values.begin(), values.end());
  }

  /// Equality; no condition without a value.
  void add(const std::string& column, const std::string& value) {
    if (!value.empty())
      add(column, std::vector{value});
  }

  /// Any text with one parameter.
  void add_compare(const std::string& text, const std::string& value) {
    add_text(text);
    values_.push_back(value);
  }

  const std::string& text() const { return text_; }

  void bind(sqlite::statement& row) const {
    for (auto i = size_t{0}; i < values_.size(); ++i)
      row.bind(static_cast<int32_t>(i + 1), values_[i]);
  }

private:
  void add_text(const std::string& text) { text_ += (text_.empty() ? " WHERE " : " AND ") + text; }

  std::string text_;
  std::vector<std::string> values_;
};

} // namespace musetalk::pipeline
