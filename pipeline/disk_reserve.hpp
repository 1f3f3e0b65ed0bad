#pragma once

#include <cstdint>
#include <filesystem>

namespace musetalk::pipeline {

/// Room kept back on a disk for what must still be written when it is full: a file of zeros that
/// can be given up at once. Never throws: without room to keep back there is simply no reserve.
class disk_reserve {
public:
  /// Fills it at once.
  disk_reserve(std::filesystem::path file, uint64_t bytes);

  /// Gives the room up. False when there was none left to give.
  bool release() noexcept;

  /// Takes the room again once the disk has four times as much free. Cheap when it is there.
  void refill() noexcept;

private:
  std::filesystem::path file_;
  uint64_t bytes_;
  bool held_ = false;
};

} // namespace musetalk::pipeline
