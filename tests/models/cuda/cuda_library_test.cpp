#include "models/cuda/cuda_library.hpp"

#include "errors/error.hpp"
#include "models/cuda/cuda_entry.hpp"
#include "models/device.hpp"

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <filesystem>
#include <string>

using namespace musetalk::models;
using musetalk::errc;
using musetalk::error;
namespace fs = std::filesystem;

namespace {

bool driver_there() {
  return fs::exists("/dev/nvidiactl") || fs::exists("/dev/dxg");
}

} // namespace

TEST(CudaLibrary, IsNotEvenLoadedWithoutADriver) {
  if (driver_there())
    GTEST_SKIP() << "there is a driver";
  try {
    open_cuda(0);
    FAIL() << "opened a device that is not there";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::device_failed);
    EXPECT_EQ(e.detail(), "cuda:0 cannot be had");
    EXPECT_NE(std::string{e.what()}.find("the machine has no NVIDIA driver"), std::string::npos);
  }
  EXPECT_EQ(::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD), nullptr);
}

TEST(CudaLibrary, LetsAutoTakeTheCpuAndSayWhy) {
  if (driver_there())
    GTEST_SKIP() << "there is a driver";
  auto device = open_device(load_options{});
  EXPECT_TRUE(device.where.device.is_cpu());
  EXPECT_FALSE(device.gpu);
  EXPECT_NE(device.note.find("no NVIDIA driver"), std::string::npos);
  EXPECT_TRUE(open_device({.models_dir = {}, .device = "cpu"}).note.empty());
}

#ifdef MUSETALK_CUDA_LIBRARY
TEST(CudaLibrary, LiesBesideThePrograms) {
  EXPECT_EQ(fs::path{MUSETALK_CUDA_LIBRARY}.filename(), cuda_library_name);
  EXPECT_TRUE(fs::equivalent(fs::path{MUSETALK_CUDA_LIBRARY}.parent_path(),
                             fs::read_symlink("/proc/self/exe").parent_path()));
}

TEST(CudaLibrary, LacksNothingOfItsOwnWhenItIsLoaded) {
  // In a process of its own: what is loaded stays. Without the CUDA libraries of a GPU machine the
  // loader names the first that is missing; with them, opening a device says that there is no
  // driver.
  auto load = [] {
    auto* library = ::dlopen(MUSETALK_CUDA_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
      std::fprintf(stderr, "refused: %s\n", ::dlerror());
      std::_Exit(0);
    }
    auto open =
        reinterpret_cast<decltype(&musetalk_cuda_open)>(::dlsym(library, "musetalk_cuda_open"));
    try {
      delete open(0);
      std::fprintf(stderr, "opened\n");
    } catch (const std::exception& e) {
      std::fprintf(stderr, "refused: %s\n", e.what());
    }
    std::_Exit(0);
  };
  if (driver_there())
    EXPECT_EXIT(load(), ::testing::ExitedWithCode(0), "opened");
  else
    EXPECT_EXIT(load(), ::testing::ExitedWithCode(0),
                "refused: .*(cannot open shared object file|NVIDIA driver)");
}
#endif
