#include "models/cuda/cuda_library.hpp"

#include "errors/error.hpp"
#include "models/cuda/cuda_entry.hpp"

#include <c10/util/Exception.h>

#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <map>
#include <mutex>

namespace musetalk::models {

namespace fs = std::filesystem;

namespace {

/// What the kernel shows of NVIDIA's driver: on a machine of its own, and inside WSL.
constexpr std::array driver_nodes = {"/dev/nvidiactl", "/dev/dxg"};

bool driver_there() {
  auto failure = std::error_code{};
  for (const auto* node : driver_nodes)
    if (fs::exists(node, failure))
      return true;
  return false;
}

/// Beside the program if it is there, else where the system looks.
fs::path library_path() {
  auto failure = std::error_code{};
  auto beside = fs::read_symlink("/proc/self/exe", failure).parent_path() / cuda_library_name;
  return fs::exists(beside, failure) ? beside : fs::path{cuda_library_name};
}

struct loaded_library {
  decltype(&musetalk_cuda_open) open = nullptr;
  std::string failure; ///< Why `open` is null.
};

loaded_library load() {
  if (!driver_there())
    return {nullptr, "the machine has no NVIDIA driver"};
  // Global: LibTorch's halves find each other's registrations through it. Never closed.
  auto* library = ::dlopen(library_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    return {nullptr, ::dlerror()};
  auto version =
      reinterpret_cast<decltype(&musetalk_cuda_version)>(::dlsym(library, "musetalk_cuda_version"));
  if (!version || version() != cuda_interface_version)
    return {nullptr, std::string{cuda_library_name} + " is of another build"};
  auto open =
      reinterpret_cast<decltype(&musetalk_cuda_open)>(::dlsym(library, "musetalk_cuda_open"));
  return {open, open ? "" : std::string{cuda_library_name} + " is damaged"};
}

const loaded_library& library() {
  static const auto loaded = load();
  return loaded;
}

[[noreturn]] void refuse(int index, std::string cause) {
  throw error{errc::device_failed, "cuda:" + std::to_string(index) + " cannot be had",
              std::move(cause)};
}

} // namespace

std::shared_ptr<accelerator> open_cuda(int index) {
  static auto mutex = std::mutex{};
  static auto opened = std::map<int, std::weak_ptr<accelerator>>{};
  auto lock = std::lock_guard{mutex};
  if (!library().open)
    refuse(index, library().failure);
  auto& place = opened[index];
  auto device = place.lock();
  if (device)
    return device;
  try {
    device.reset(library().open(index));
  } catch (const c10::Error& e) {
    refuse(index, e.what_without_backtrace());
  }
  place = device;
  return device;
}

} // namespace musetalk::models
