#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// Element types of the weight files.
enum class element : uint8_t {
  float32,
  float16,
  bfloat16,
  float64,
  int64,
  int32,
  int16,
  int8,
  uint8,
  boolean,
};

/// Bytes of one element.
size_t size_of(element x) noexcept;

/// `float32`, `bool`, ... as PyTorch calls them.
std::string_view to_string(element x) noexcept;

/// A tensor of a weight file: names a part of a storage, owns no values. Several may share a
/// storage.
struct tensor_view {
  std::string name;
  element type = element::float32;
  std::vector<int64_t> shape;   ///< Each >= 0; empty for a scalar.
  std::vector<int64_t> strides; ///< In elements, each >= 0, as long as `shape`.
  int64_t offset = 0;           ///< Of the first element in its storage, in elements.
  size_t storage = 0;           ///< Index of the storage in its `checkpoint`.
};

/// Elements of a shape.
/// @throws musetalk::error `models_invalid` for a negative dimension or a product beyond 2^48.
int64_t element_count(const std::vector<int64_t>& shape);

/// `[4, 3, 3, 3]`, for messages.
std::string to_string(const std::vector<int64_t>& shape);

} // namespace musetalk::models
