#include "models/device.hpp"

#include "errors/error.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/util/Exception.h>

#include <dlfcn.h>

#include <charconv>
#include <filesystem>
#include <mutex>
#include <new>

namespace musetalk::models {

namespace {

constexpr int max_devices = 64;

/// Loads libtorch_cuda once. LibTorch remembers the first question for a device, so nothing may ask
/// before.
/// @returns Why it is not there; empty when it is.
std::string load_cuda() {
  static std::once_flag once;
  static std::string failure;
  std::call_once(once, [] {
    if (!std::filesystem::exists("/dev/nvidiactl"))
      failure = "the machine has no NVIDIA driver";
    else if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
      failure = ::dlerror();
  });
  return failure;
}

int parse_index(const std::string& device) {
  auto text = std::string_view{device}.substr(std::string_view{"cuda:"}.size());
  auto index = -1;
  auto end = text.data() + text.size();
  auto done = std::from_chars(text.data(), end, index);
  if (done.ec != std::errc{} || done.ptr != end || index < 0 || index >= max_devices)
    throw error{errc::settings_invalid,
                "the device is \"" + device + "\"; it must be auto, cpu or cuda:<n>"};
  return index;
}

at::ScalarType scalar_type(precision x) {
  switch (x) {
  case precision::bfloat16:
    return at::kBFloat16;
  case precision::float16:
    return at::kHalf;
  case precision::automatic:
  case precision::float32:
    break;
  }
  return at::kFloat;
}

opened_device cpu(const load_options& options) {
  if (options.dtype == precision::float16)
    throw error{errc::settings_invalid, "fp16 needs a GPU; a CPU computes in fp32 or bf16"};
  auto dtype = options.dtype == precision::automatic ? precision::float32 : options.dtype;
  return {{at::kCPU, scalar_type(dtype), true}, {}, dtype};
}

opened_device cuda(const load_options& options, int index) {
  auto dtype = options.dtype == precision::automatic ? precision::float16 : options.dtype;
  auto device = at::Device{at::kCUDA, static_cast<c10::DeviceIndex>(index)};
  return {{device, scalar_type(dtype), true}, device.str(), dtype};
}

} // namespace

opened_device open_device(const load_options& options) {
  if (options.threads > 0)
    at::set_num_threads(options.threads);
  if (options.device == "cpu")
    return cpu(options);
  auto automatic = options.device == "auto" || options.device.empty();
  if (!automatic && !options.device.starts_with("cuda:"))
    parse_index("cuda:" + options.device);
  auto index = automatic ? 0 : parse_index(options.device);
  auto failure = load_cuda();
  auto count = failure.empty() && at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (index < count)
    return cuda(options, index);
  if (automatic)
    return cpu(options);
  throw error{errc::device_failed,
              options.device + " cannot be had: " + std::to_string(count) +
                  " CUDA devices are usable",
              failure};
}

void on_device(const std::function<void()>& work) {
  try {
    work();
  } catch (const error&) {
    throw;
  } catch (const c10::OutOfMemoryError& e) {
    throw error{errc::device_out_of_memory, "the batch does not fit the device's memory",
                e.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    throw error{errc::device_out_of_memory, "the batch does not fit the memory"};
  } catch (const c10::Error& e) {
    throw error{errc::device_failed, "the device rejected the work", e.what_without_backtrace()};
  }
}

} // namespace musetalk::models
