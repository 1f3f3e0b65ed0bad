#include "models/checkpoint/tensor_view.hpp"

#include "errors/error.hpp"

#include <algorithm>

namespace musetalk::models {

namespace {

struct entry {
  element type;
  size_t bytes;
  std::string_view name;
};

constexpr entry elements[] = {
    {element::float32, 4, "float32"},   {element::float16, 2, "float16"},
    {element::bfloat16, 2, "bfloat16"}, {element::float64, 8, "float64"},
    {element::int64, 8, "int64"},       {element::int32, 4, "int32"},
    {element::int16, 2, "int16"},       {element::int8, 1, "int8"},
    {element::uint8, 1, "uint8"},       {element::boolean, 1, "bool"},
};

constexpr int64_t max_elements = int64_t{1} << 48;

} // namespace

size_t size_of(element x) noexcept {
  return elements[static_cast<size_t>(x)].bytes;
}

std::string_view to_string(element x) noexcept {
  return elements[static_cast<size_t>(x)].name;
}

int64_t element_count(const std::vector<int64_t>& shape) {
  auto count = int64_t{1};
  for (auto n : shape) {
    if (n < 0)
      throw error{errc::models_invalid, "a tensor has the negative dimension " + std::to_string(n)};
    // An empty tensor's other dimensions are multiplied too, in strides.
    if (count > max_elements / std::max<int64_t>(n, 1))
      throw error{errc::models_invalid, "the shape " + to_string(shape) + " is beyond 2^48 values"};
    count *= std::max<int64_t>(n, 1);
  }
  return std::find(shape.begin(), shape.end(), 0) == shape.end() ? count : 0;
}

std::string to_string(const std::vector<int64_t>& shape) {
  auto text = std::string{"["};
  for (auto n : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

} // namespace musetalk::models
