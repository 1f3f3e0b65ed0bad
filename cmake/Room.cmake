# One room, one library, one arrow:
#
#   room(NAME SOURCES a.cpp … [USES target …] [HIDES target …])
#
# USES are the rooms and libraries whose headers this room's own headers include; HIDES are those that only
# its .cpp files see. A room sees nothing else, so a wrong include does not compile.
function(room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;HIDES" ${ARGN})
  set(target musetalk_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PUBLIC ${ROOM_USES} PRIVATE ${ROOM_HIDES} musetalk_warnings)
endfunction()

# Sources that are compiled as one: what they include is read once. For files that LibTorch makes expensive; their
# file-local names must differ. Off in the preset `debug`, so that each is also seen to stand alone.
function(compile_together target name)
  if(MUSETALKD_COMPILE_TOGETHER)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_source_files_properties(${ARGN} PROPERTIES UNITY_GROUP ${name})
  endif()
endfunction()

# tests for one room: room_test(NAME SOURCES … USES … [LABELS …] [TIMEOUT_S n] [COMPUTES])
function(room_test name)
  cmake_parse_arguments(TEST "COMPUTES" "TIMEOUT_S" "SOURCES;USES;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT_S)
    set(TEST_TIMEOUT_S 60)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${TEST_USES} musetalk_warnings GTest::gmock_main)
  target_compile_definitions(${name} PRIVATE MUSETALK_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             MUSETALK_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # Tests are compiled more often than they run; those that compute much themselves are an exception.
  set(level -O0)
  if(TEST_COMPUTES)
    set(level -O1)
  endif()
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:${level}>)
  # Two tests run side by side: threads that spin while they wait would take the other's time.
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${TEST_TIMEOUT_S} LABELS "${TEST_LABELS}"
                                  ENVIRONMENT OMP_WAIT_POLICY=PASSIVE)
endfunction()
