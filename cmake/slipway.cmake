# Helpers every room uses: slipway_room, slipway_test, slipway_bench; and the flags that all targets share.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(slipway_flags INTERFACE)
target_compile_options(slipway_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
target_compile_options(slipway_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
if(SLIPWAY_WERROR)
  target_compile_options(slipway_flags INTERFACE -Werror)
endif()
if(SLIPWAY_FUZZ)
  target_compile_options(slipway_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Under sanitizers GCC 12 takes the frames of coroutines for mismatched allocations (GCC bug 109224).
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE} -fno-omit-frame-pointer -g1
                                                 -fno-sanitize-recover=all)
  target_link_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
  target_compile_options(slipway_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-mismatched-new-delete>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these inside inlined std::string code (GCC bugs 105329,
  # 105651) and of moved-from nlohmann::json values (GCC bug 105562).
  target_compile_options(slipway_flags INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
                                                 -Wno-restrict -Wno-maybe-uninitialized)
endif()

# One precompiled header for all rooms: the standard containers, fmt and JSON are 80 % of what most files parse.
file(WRITE ${CMAKE_BINARY_DIR}/slipway_pch.cc "")
add_library(slipway_pch STATIC ${CMAKE_BINARY_DIR}/slipway_pch.cc)
target_link_libraries(slipway_pch PRIVATE slipway_flags fmt::fmt nlohmann_json::nlohmann_json)
target_precompile_headers(slipway_pch PRIVATE <algorithm> <array> <atomic> <chrono> <filesystem> <fstream> <functional>
                          <map> <memory> <mutex> <optional> <span> <sstream> <string> <string_view> <thread>
                          <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)

# slipway_room(NAME SRCS a.cc b.cc DEPS base record LINK lib... [NO_PCH]): the static library of one room.
# DEPS are rooms (public: their headers are visible); LINK are third-party libraries (private).
function(slipway_room name)
  cmake_parse_arguments(R "NO_PCH" "" "SRCS;DEPS;LINK" ${ARGN})
  add_library(slipway_${name} STATIC ${R_SRCS})
  target_include_directories(slipway_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM R_DEPS PREPEND slipway_)
  target_link_libraries(slipway_${name} PUBLIC ${R_DEPS} fmt::fmt nlohmann_json::nlohmann_json Threads::Threads
                                        PRIVATE slipway_flags ${R_LINK})
  if(NOT R_NO_PCH)
    target_precompile_headers(slipway_${name} REUSE_FROM slipway_pch)
  endif()
endfunction()

# slipway_test(ROOM SRCS a_test.cc DEPS room... [LINK lib...]): tests/<room>, one binary test_<room>, one ctest entry.
# The working folder is the source tree's root. SLIPWAY_SHARED names the shared folder, when there is one.
function(slipway_test name)
  cmake_parse_arguments(T "NO_PCH" "" "SRCS;DEPS;LINK" ${ARGN})
  add_executable(test_${name} ${T_SRCS})
  list(TRANSFORM T_DEPS PREPEND slipway_)
  target_link_libraries(test_${name} PRIVATE ${T_DEPS} slipway_test_main slipway_flags GTest::gtest ${T_LINK})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  if(NOT T_NO_PCH)
    target_precompile_headers(test_${name} REUSE_FROM slipway_pch)
  endif()
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# slipway_bench(NAME SRCS x.cc DEPS room...): bench_<NAME>, linked with Google Benchmark.
function(slipway_bench name)
  cmake_parse_arguments(B "" "" "SRCS;DEPS;LINK" ${ARGN})
  find_package(benchmark REQUIRED)
  add_executable(bench_${name} ${B_SRCS})
  list(TRANSFORM B_DEPS PREPEND slipway_)
  target_link_libraries(bench_${name} PRIVATE ${B_DEPS} slipway_flags benchmark::benchmark ${B_LINK})
  target_precompile_headers(bench_${name} REUSE_FROM slipway_pch)
endfunction()
