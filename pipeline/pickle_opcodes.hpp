#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace musetalk::pipeline {

/// Appends the opcodes of Python's pickle protocol 2 that our files need. Source: CPython
/// `Lib/pickletools.py`.
class pickle_opcodes {
public:
  pickle_opcodes() { text_ = {'\x80', '\x02'}; }

  void mark() { text_ += '('; }
  void empty_list() { text_ += ']'; }
  void appends() { text_ += 'e'; } ///< What lies above the mark goes into the list below it.
  void tuple() { text_ += 't'; }   ///< Of what lies above the mark.
  void empty_tuple() { text_ += ')'; }
  void false_value() { text_ += '\x89'; }
  void reduce() { text_ += 'R'; }        ///< Calls the global with the tuple above it.
  void persistent_id() { text_ += 'Q'; } ///< The reader's object for the tuple above.
  void global(std::string_view module, std::string_view name) {
    text_.append("c").append(module).append("\n").append(name).append("\n");
  }

  /// In the shortest of the three forms.
  void integer(int32_t value) {
    if (value >= 0 && value <= 0xff)
      number('K', value, 1);
    else if (value >= 0 && value <= 0xffff)
      number('M', value, 2);
    else
      number('J', value, 4);
  }

  /// @param value ASCII.
  void text(std::string_view value) {
    number('X', static_cast<int64_t>(value.size()), 4);
    text_.append(value);
  }

  /// Keeps what lies on top under a number, and puts it on top again.
  void keep(uint32_t slot) { number('r', slot, 4); }
  void again(uint32_t slot) { number('j', slot, 4); }

  /// Ends the pickle.
  std::string finish() && {
    text_ += '.';
    return std::move(text_);
  }

private:
  /// An opcode with a little-endian number behind it.
  void number(char opcode, int64_t value, int bytes) {
    text_ += opcode;
    for (auto i = 0; i < bytes; ++i)
      text_ += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff);
  }

  std::string text_;
};

} // namespace musetalk::pipeline
