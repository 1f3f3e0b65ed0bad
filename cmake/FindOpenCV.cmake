# OpenCV as Debian packages it, component by component. The CMake package of libopencv-dev wants every module and
# what they draw in (120 packages, 0.4 GB); these few need only lib and headers of their own.
# Components: core, imgproc, ... Targets: opencv_<component>. Another OpenCV: -DOpenCV_DIR=<its CMake package>.
include(FindPackageHandleStandardArgs)
if(OpenCV_DIR)
  find_package(OpenCV CONFIG REQUIRED COMPONENTS ${OpenCV_FIND_COMPONENTS})
  return()
endif()

find_path(OpenCV_INCLUDE_DIR opencv2/core/version.hpp PATH_SUFFIXES opencv4)
if(OpenCV_INCLUDE_DIR)
  file(STRINGS "${OpenCV_INCLUDE_DIR}/opencv2/core/version.hpp" opencv_version_lines
       REGEX "#define CV_VERSION_(MAJOR|MINOR|REVISION) ")
  string(REGEX REPLACE "[^0-9]+([0-9]+)" "\\1." OpenCV_VERSION "${opencv_version_lines}")
  string(REGEX REPLACE "\\.$" "" OpenCV_VERSION "${OpenCV_VERSION}")
endif()
foreach(component IN LISTS OpenCV_FIND_COMPONENTS)
  find_library(OpenCV_${component}_LIBRARY opencv_${component})
  if(OpenCV_${component}_LIBRARY)
    set(OpenCV_${component}_FOUND TRUE)
  endif()
endforeach()

find_package_handle_standard_args(OpenCV REQUIRED_VARS OpenCV_INCLUDE_DIR VERSION_VAR OpenCV_VERSION
                                  HANDLE_COMPONENTS)

if(OpenCV_FOUND)
  foreach(component IN LISTS OpenCV_FIND_COMPONENTS)
    if(NOT TARGET opencv_${component})
      add_library(opencv_${component} UNKNOWN IMPORTED)
      set_target_properties(opencv_${component} PROPERTIES
        IMPORTED_LOCATION "${OpenCV_${component}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${OpenCV_INCLUDE_DIR}")
    endif()
  endforeach()
endif()
