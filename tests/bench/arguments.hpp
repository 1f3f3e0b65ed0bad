#pragma once

#include "models/latent_encoder.hpp"

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

// The command line of bench_models by hand: it builds where there is LibTorch and nothing else.

namespace musetalk::models::bench {

/// Ends the program with status 2.
[[noreturn]] void refuse(const std::string& why);

/// `a,b,c` by its commas.
std::vector<std::string> split(const std::string& text);

/// `fp32`, `bf16`, ...; refuses others than `known`.
precision precision_of(const std::string& name, std::initializer_list<precision> known);

/// What takes the value of each argument.
using argument_table = std::map<std::string, std::function<void(const std::string&)>>;

/// Reads `--name value` pairs; refuses what the table does not know.
void read_arguments(int argc, char** argv, const argument_table& known);

} // namespace musetalk::models::bench
