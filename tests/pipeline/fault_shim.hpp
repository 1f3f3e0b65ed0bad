#pragma once

#include <functional>
#include <string>

namespace musetalk::test {

/// The system calls that change the disk, as `pipeline/` makes them in a program linked with
/// `fault_shim.cpp` (the linker's `--wrap` puts it in between; what libraries do is not seen).
class fault_shim {
public:
  /// Called before each call with its name and number from 0. Returns 0 to let it happen, or the
  /// errno with which it is to fail. May also not return.
  using plan = std::function<int(const std::string& call, int number)>;

  /// @param next From now on; nothing has happened yet.
  explicit fault_shim(plan next);
  fault_shim(const fault_shim&) = delete;
  fault_shim& operator=(const fault_shim&) = delete;
  ~fault_shim();

  /// Calls that were seen.
  int count() const;
};

} // namespace musetalk::test
