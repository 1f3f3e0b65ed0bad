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

# LibTorch's CUDA half as `torch::cuda`, for the one library that includes CUDA's headers. The target exists only
# where those are found, of the major version that LibTorch was built for: wheels of the run time and of crt beside
# torch/, or an installed toolkit (CUDAToolkit_ROOT). No nvcc and no GPU is needed.
file(GLOB cudart_libraries "${torch_parent}/nvidia/*/lib/libcudart.so.*" "${torch_home}/lib/libcudart*.so.*")
if(EXISTS "${torch_home}/lib/libtorch_cuda.so" AND EXISTS "${torch_home}/include/ATen/cuda/CUDAGraph.h"
   AND cudart_libraries)
  list(GET cudart_libraries 0 cudart_library)
  get_filename_component(cudart_name "${cudart_library}" NAME)
  string(REGEX MATCH "so\\.([0-9]+)" cuda_major "${cudart_name}")
  set(cuda_major "${CMAKE_MATCH_1}")
  file(GLOB wheel_includes LIST_DIRECTORIES true "${torch_parent}/nvidia/*/include")
  foreach(dir IN LISTS wheel_includes ITEMS "${CUDAToolkit_ROOT}/include" "$ENV{CUDAToolkit_ROOT}/include"
                                            "$ENV{CUDA_HOME}/include"
                                            "/usr/local/cuda-${cuda_major}/include" "/usr/local/cuda/include")
    if(NOT TARGET torch::cuda AND EXISTS "${dir}/cuda_runtime_api.h" AND EXISTS "${dir}/crt/host_defines.h")
      file(STRINGS "${dir}/cuda_runtime_api.h" version_line REGEX "#define CUDART_VERSION +[0-9]+")
      if(version_line MATCHES " ${cuda_major}[0-9][0-9][0-9]$")
        add_library(torch::cuda INTERFACE IMPORTED GLOBAL)
        set_target_properties(torch::cuda PROPERTIES
          INTERFACE_INCLUDE_DIRECTORIES "${dir}"
          INTERFACE_LINK_LIBRARIES
            "torch::cpu;${torch_home}/lib/libtorch_cuda.so;${torch_home}/lib/libc10_cuda.so;${cudart_library}")
        set(cuda_headers "${dir}")
      endif()
    endif()
  endforeach()
endif()
if(TARGET torch::cuda)
  message(STATUS "GPU part: libmusetalk_cuda.so, CUDA ${cuda_major} (${cuda_headers})")
else()
  message(STATUS "GPU part: none. It needs libtorch_cuda.so, libcudart and the CUDA headers of their version: a toolkit in "
                 "/usr/local/cuda or CUDAToolkit_ROOT, or `pip install nvidia-cuda-crt==13.0.88` beside torch")
endif()
