#pragma once

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace musetalk::test {

/// Runs `action`, which must throw `error` of this code, and gives its public detail.
template <class Action>
std::string detail_of(errc code, Action&& action) {
  try {
    action();
  } catch (const error& problem) {
    EXPECT_EQ(to_string(problem.code()), to_string(code)) << problem.what();
    return problem.detail();
  }
  ADD_FAILURE() << "nothing was thrown; expected " << to_string(code);
  return {};
}

} // namespace musetalk::test
