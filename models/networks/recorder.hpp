#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <unordered_map>

namespace musetalk::models {

/// Keeps what the modules of a network return while it lives, for parity tests and for looking into
/// a network. Works on the thread that made it; one at a time per thread. Without one, `recorded`
/// costs a branch.
class recorder {
public:
  /// @param network Whose modules are recorded, by the names that they have below it. Must outlive
  /// this.
  explicit recorder(const torch::nn::Module& network);
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Copies of the outputs by module name; of several calls the last.
  const std::map<std::string, at::Tensor>& values() const noexcept { return values_; }

  /// The recorder of this thread, or null.
  static recorder* current() noexcept;

  /// Keeps a copy.
  void keep(const torch::nn::Module& module, const at::Tensor& value);

private:
  std::unordered_map<const torch::nn::Module*, std::string> names_;
  std::map<std::string, at::Tensor> values_;
};

/// What each `forward` returns its value through.
inline at::Tensor recorded(const torch::nn::Module& module, at::Tensor value) {
  if (auto* active = recorder::current()) [[unlikely]]
    active->keep(module, value);
  return value;
}

} // namespace musetalk::models
