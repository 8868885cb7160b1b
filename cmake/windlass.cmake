# ./test runs the tests of two builds at once: their names differ.
if(WINDLASS_SANITIZE)
  set(WINDLASS_TEST_SUFFIX _sanitized)
endif()

# windlass_precompile(<target> <first> headers…): the headers are compiled for the target named first, the others share it.
function(windlass_precompile target first)
  if(WINDLASS_FUZZ)
    return()
  elseif(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# windlass_library(<folder> SOURCES a.cc… [TESTS a_test.cc…] [TEST_DATA a_test.cc…] [USES folders…] [LINKS libraries…])
# One static library per folder of src/, and one test program <folder>_test beside it. TEST_DATA are those of TESTS that
# read files of the source tree: they know it as WINDLASS_SOURCE_DIR.
function(windlass_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;TEST_DATA;USES;LINKS;TEST_USES" ${ARGN})
  add_library(windlass_${folder} STATIC ${ARG_SOURCES})
  target_include_directories(windlass_${folder} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_USES PREPEND windlass_)
  target_link_libraries(windlass_${folder} PUBLIC ${ARG_USES} ${ARG_LINKS})
  windlass_precompile(windlass_${folder} windlass_base ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
  if(WINDLASS_TESTS AND ARG_TESTS)
    list(TRANSFORM ARG_TEST_USES PREPEND windlass_)
    add_executable(${folder}_test ${ARG_TESTS})
    target_link_libraries(${folder}_test PRIVATE windlass_${folder} ${ARG_TEST_USES} GTest::gtest GTest::gtest_main)
    target_compile_options(${folder}_test PRIVATE -O0) # tests run once; what they test is optimised
    windlass_precompile(${folder}_test base_test ${PROJECT_SOURCE_DIR}/cmake/precompiled.h <gtest/gtest.h>)
    add_test(NAME unit_${folder}${WINDLASS_TEST_SUFFIX} COMMAND ${folder}_test)
    set_tests_properties(unit_${folder}${WINDLASS_TEST_SUFFIX} PROPERTIES LABELS unit TIMEOUT 300)
    # Only where it is used: a path in every command line would keep a second clone from finding anything in the cache.
    set_property(SOURCE ${ARG_TEST_DATA} APPEND PROPERTY COMPILE_DEFINITIONS WINDLASS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  endif()
endfunction()
