# LibTorch as an imported target of our own: `torch::cpu`.
#
# TorchConfig.cmake of the CUDA builds demands a CUDA toolkit, which building against the CPU part does
# not need. libtorch_cuda is loaded at run time when a device is wanted.
#
# LIBTORCH_ROOT may be
#   - the folder the set-up script fills (holds torch/ and nvidia/, as the PyPI wheels unpack),
#   - an official LibTorch folder (holds include/ and lib/),
#   - the folder of a Python installation's `torch` package (holds include/ and lib/ as well).
set(LIBTORCH_ROOT "${PROJECT_SOURCE_DIR}/.deps/libtorch" CACHE PATH "LibTorch (see cmake/Torch.cmake)")

if(EXISTS "${LIBTORCH_ROOT}/torch/lib/libtorch_cpu.so")
  set(torch_home "${LIBTORCH_ROOT}/torch")
elseif(EXISTS "${LIBTORCH_ROOT}/lib/libtorch_cpu.so")
  set(torch_home "${LIBTORCH_ROOT}")
else()
  message(FATAL_ERROR "No libtorch_cpu.so below LIBTORCH_ROOT=${LIBTORCH_ROOT}. "
                      "Run scripts/setup.sh, or set LIBTORCH_ROOT to a LibTorch folder.")
endif()
get_filename_component(torch_parent "${torch_home}" DIRECTORY)

# The CUDA builds of libtorch_cpu need libcudart and libcupti at load time even without a GPU; the wheel's
# RPATH finds them in nvidia/cu13/lib beside torch/.
file(GLOB torch_link_dirs LIST_DIRECTORIES true
     "${torch_parent}/nvidia/*/lib" "${torch_home}/lib")

add_library(torch::cpu SHARED IMPORTED GLOBAL)
set_target_properties(torch::cpu PROPERTIES
  IMPORTED_LOCATION "${torch_home}/lib/libtorch_cpu.so"
  INTERFACE_INCLUDE_DIRECTORIES "${torch_home}/include;${torch_home}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES "${torch_home}/lib/libc10.so")
foreach(dir IN LISTS torch_link_dirs)
  set_property(TARGET torch::cpu APPEND PROPERTY INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${dir}")
endforeach()
