#pragma once

#include "models/checkpoint/tensor_view.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// Index of a value in its `pickle`.
using pickle_id = uint32_t;

enum class pickle_kind : uint8_t {
  none,
  boolean,     ///< `integer` is 0 or 1.
  integer,     ///< Fits 64 bits.
  big_integer, ///< Does not; its value is dropped, `text` holds its bytes.
  real,
  text,
  bytes,
  list,
  tuple,
  dict,    ///< `items` alternate key, value.
  storage, ///< Entry `index` of `pickle::storages`.
  tensor,  ///< Entry `index` of `pickle::tensors`.
  global,  ///< A name out of the closed list; `text` is `module.name`.
  dtype,   ///< `numpy.dtype`; `text` is its code, such as `i4`.
  opaque,  ///< An object of a class that was skipped, not made.
};

/// One value. Texts are views into the pickle's bytes; containers refer to other values by index,
/// so that no nesting, however deep or cyclic, recurses.
struct pickle_value {
  pickle_kind kind = pickle_kind::none;
  uint32_t index = 0; ///< Into `lists`, `storages` or `tensors`.
  int64_t integer = 0;
  double real = 0;
  std::string_view text = {};
};

/// A persistent id of PyTorch: where a tensor's values lie.
struct pickle_storage {
  element type = element::float32;
  std::string_view key;
  std::string_view location; ///< `cpu`, `cuda:0`, ...
  int64_t elements = 0;      ///< Of the root storage.
  int64_t view_offset = 0;   ///< Legacy storage views: first element in the root storage.
  int64_t view_elements = 0; ///< Elements that this storage may use from there on.
};

struct pickle_tensor {
  uint32_t storage = 0; ///< Into `pickle::storages`.
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

/// The values of one pickle. Everything lives as long as the bytes it was read from.
struct pickle {
  pickle_id root = 0;
  size_t bytes_read = 0;   ///< Up to and with STOP.
  size_t copied_items = 0; ///< Entries that calls copied so far; bounded.
  std::vector<pickle_value> values;
  std::vector<std::vector<pickle_id>> lists;
  std::vector<pickle_storage> storages;
  std::vector<pickle_tensor> tensors;
  std::deque<std::string> names; ///< What the texts of globals refer to.

  const pickle_value& operator[](pickle_id id) const { return values[id]; }

  /// Entries of a list, tuple or dict.
  const std::vector<pickle_id>& items(const pickle_value& x) const { return lists[x.index]; }

  /// The value of a text key of a dict, or null.
  const pickle_value* find(const pickle_value& dict, std::string_view key) const;
};

/// Reads one pickle (protocols 2 to 5) from the front of `bytes`. Nothing is ever imported or
/// called: a closed list of globals makes dicts, tensors and numpy scalars; instances of other
/// classes are skipped; a *call* of anything else refuses the file. Work and memory are bounded by
/// the length of `bytes`.
/// @throws musetalk::error `models_invalid` with what is wrong.
/// Source: the opcode table of CPython `Lib/pickletools.py`; PyTorch `torch/_utils.py` for the
/// meaning of its globals.
pickle read_pickle(std::span<const std::byte> bytes);

} // namespace musetalk::models
