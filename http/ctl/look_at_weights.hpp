#pragma once

#include "http/ctl/doctor.hpp"

#include <vector>

namespace musetalk::http::ctl {

/// Each file of the weights: its state and, unless it is not wanted, its SHA-256 beside that of the
/// published file. Appends to `findings`.
void look_at_weights(const config::settings& settings, const look_options& how,
                     std::vector<finding>& findings);

} // namespace musetalk::http::ctl
