#pragma once

#include "models/networks/s3fd.hpp"
#include "tests/models/parity.hpp"

namespace musetalk::models::testing {

/// Compares the maps of every level and the faces that follow from them.
void expect_faces(golden_case& expected, const std::array<s3fd_level, s3fd_levels>& levels);

} // namespace musetalk::models::testing
