#include "models/device.hpp"

#include "errors/error.hpp"
#include "models/cuda/cuda_library.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <charconv>
#include <new>

namespace musetalk::models {

namespace {

constexpr int max_devices = 64;

/// `cudaErrorMemoryAllocation`.
constexpr int cuda_out_of_memory = 2;

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

opened_device cpu(const load_options& options, const network_part& part) {
  if (options.dtype == precision::float16)
    throw error{errc::settings_invalid, "fp16 needs a GPU; a CPU computes in fp32 or bf16"};
  auto choice = precision_choice{};
  if (options.dtype != precision::automatic)
    choice.dtype = options.dtype;
  else if (part)
    choice = choose_precision(part);
  return {{at::kCPU, scalar_type(choice.dtype), true}, {}, choice.dtype, nullptr, choice.reason};
}

opened_device cuda(const load_options& options, int index) {
  auto gpu = open_cuda(index);
  // Networks that run in fp32 do so because small margins decide; TF32 would keep 10 bits of them.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  auto dtype = options.dtype == precision::automatic ? precision::float16 : options.dtype;
  auto name = gpu->name();
  return {{gpu->device(), scalar_type(dtype), true}, std::move(name), dtype, std::move(gpu), {}};
}

/// LibTorch has a type for its own allocator's failure; that of a library it calls is text.
bool out_of_memory(const c10::Error& e) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&e))
    return true;
  if (auto* x = dynamic_cast<const c10::AcceleratorError*>(&e))
    return x->get_error_code() == cuda_out_of_memory;
  return std::string_view{e.what_without_backtrace()}.find("_STATUS_ALLOC_FAILED") !=
         std::string_view::npos;
}

void translated(accelerator* gpu, const std::function<void()>& work) {
  try {
    work();
  } catch (const error&) {
    throw;
  } catch (const c10::Error& e) {
    if (gpu && gpu->lost())
      throw error{errc::device_lost, "the device has failed and needs the service to restart",
                  e.what_without_backtrace()};
    if (out_of_memory(e))
      throw error{errc::device_out_of_memory, "the batch does not fit the device's memory",
                  e.what_without_backtrace()};
    throw error{errc::device_failed, "the device rejected the work", e.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    throw error{errc::device_out_of_memory, "the batch does not fit the memory"};
  }
}

} // namespace

opened_device open_device(const load_options& options, const network_part& part) {
  if (options.threads > 0)
    at::set_num_threads(options.threads);
  if (options.device == "cpu")
    return cpu(options, part);
  auto automatic = options.device == "auto" || options.device.empty();
  if (!automatic && !options.device.starts_with("cuda:"))
    parse_index("cuda:" + options.device);
  try {
    return cuda(options, automatic ? 0 : parse_index(options.device));
  } catch (const error& e) {
    if (!automatic || e.code() != errc::device_failed)
      throw;
    auto device = cpu(options, part);
    device.note =
        std::string{"on the CPU: "} + e.what() + (device.note.empty() ? "" : "; " + device.note);
    return device;
  }
}

void on_device(const std::function<void()>& work) {
  translated(nullptr, work);
}

void on_device(const opened_device& device, const std::function<void()>& work) {
  translated(device.gpu.get(), [&] {
    if (device.gpu)
      device.gpu->call(work);
    else
      work();
  });
}

} // namespace musetalk::models
