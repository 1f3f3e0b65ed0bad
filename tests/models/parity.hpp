#pragma once

#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/networks/hash_fill.hpp"

#include <ATen/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace musetalk::models::testing {

/// One golden case: what goes in, and what has to come out within a tolerance. What was measured
/// is in the report of the test program (`--gtest_output=json:FILE`).
class golden_case {
public:
  explicit golden_case(const std::filesystem::path& folder);

  const json_value& manifest() const noexcept { return manifest_; }

  /// `case.config` of a tiny case, `config` of a full one.
  const json_value& config() const;

  uint64_t seed() const;
  double gain() const;

  /// Whether there is a tensor of that name.
  bool has(const std::string& name) const;

  /// A tensor of the case.
  at::Tensor tensor(const std::string& name);

  /// How far a tensor's values may be off.
  double tolerance(const std::string& name) const;

  /// Names of the expected tensors that start so.
  std::vector<std::string> names(const std::string& prefix) const;

  /// Adds a failure when `got` differs from the tensor of that name in shape, or in value by more
  /// than its tolerance.
  /// @returns The largest difference.
  double expect(const std::string& name, const at::Tensor& got);

  /// Adds a failure when `got` is farther from the tensor of that name than a share of it, as a
  /// whole: root mean square of the difference over that of the tensor. For other number formats.
  void expect_share(const std::string& name, const at::Tensor& got, double share);

  /// Checks every `intermediate.<module>` against what the modules returned.
  /// @returns How many were compared.
  size_t expect_intermediates(const std::map<std::string, at::Tensor>& recorded);

private:
  json_value manifest_;
  checkpoint tensors_;
};

/// A tensor filled as the full-size cases state it.
at::Tensor hashed_tensor(const std::string& name, at::IntArrayRef shape, uint64_t seed,
                         float scale);

/// Fills a network as the full-size cases state it and checks the manifest's first values.
void fill_full_size(torch::nn::Module& network, const golden_case& expected);

/// `name [2, 3]` of each parameter and buffer, sorted.
std::vector<std::string> names_and_shapes(const torch::nn::Module& network);

/// The same of a real checkpoint, by its list in `tests/golden/keys`.
std::vector<std::string> real_names_and_shapes(const std::string& list);

} // namespace musetalk::models::testing
