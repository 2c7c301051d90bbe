# Language level, warnings, hardening, sanitizers, coverage: one interface target, comity_flags.
option(COMITY_WERROR "Warnings are errors" ON)
option(COMITY_HARDEN "Hardening flags for release builds" OFF)
option(COMITY_COVERAGE "Measure coverage" OFF)
option(COMITY_FUZZ "Build libFuzzer targets (clang)" OFF)
set(COMITY_SANITIZE "" CACHE STRING "Sanitizers, separated by semicolons: address;undefined or thread")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(comity_flags INTERFACE)
target_compile_definitions(comity_flags INTERFACE _GNU_SOURCE COMITY_VERSION="${PROJECT_VERSION}")
target_include_directories(comity_flags INTERFACE ${PROJECT_SOURCE_DIR}/daemon)
target_compile_options(comity_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings
  -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Wswitch-enum -fno-common)
if(COMITY_WERROR)
  target_compile_options(comity_flags INTERFACE -Werror)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(comity_flags INTERFACE -Wduplicated-cond -Wlogical-op -Wnull-dereference)
endif()

# A program that finds a fault of its own stops, in a release too.  So what the suite tests is what
# is delivered.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

# Some hundred test programs are linked: lld, where it is, halves the time (tests/CMakeLists.txt has
# it for them in every preset).
find_program(COMITY_LLD ld.lld)
if(COMITY_LLD AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_link_options(comity_flags INTERFACE -fuse-ld=lld)
endif()

if(COMITY_HARDEN)
  target_compile_options(comity_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    -ftrivial-auto-var-init=zero)
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 16)
    target_compile_options(comity_flags INTERFACE
      -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
  endif()
  target_link_options(comity_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

if(COMITY_SANITIZE)
  list(JOIN COMITY_SANITIZE "," comity_sanitizers)
  target_compile_options(comity_flags INTERFACE -fsanitize=${comity_sanitizers}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(comity_flags INTERFACE -fsanitize=${comity_sanitizers})
endif()
if(COMITY_COVERAGE)
  target_compile_options(comity_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(comity_flags INTERFACE --coverage)
endif()
if(COMITY_FUZZ)
  target_compile_options(comity_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
