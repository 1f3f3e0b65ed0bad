#include "pipeline/box_pickle.hpp"

#include "pipeline/pickle_opcodes.hpp"

namespace musetalk::pipeline {

std::string pickle_boxes(std::span<const box> boxes) {
  auto code = pickle_opcodes{};
  code.empty_list();
  code.mark();
  for (const auto& x : boxes) {
    code.empty_list();
    code.mark();
    for (auto edge : {x.left, x.top, x.right, x.bottom})
      code.integer(edge);
    code.appends();
  }
  code.appends();
  return std::move(code).finish();
}

} // namespace musetalk::pipeline
