# comity_layer(NAME [USES layer...] [LIBS target...]): the static library comity_NAME made of every
# .c file in its folder.  Includes are written from daemon/, e.g. "base/span.h".
function(comity_layer name)
  cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
  if(NOT sources)
    set(sources ${PROJECT_SOURCE_DIR}/cmake/empty.c)
  endif()
  add_library(comity_${name} STATIC ${sources})
  list(TRANSFORM ARG_USES PREPEND comity_)
  target_link_libraries(comity_${name} PUBLIC comity_flags ${ARG_USES} ${ARG_LIBS})
endfunction()

# comity_test(FILE LABEL layer...): one cmocka program; NAME is the file's name without .c.
function(comity_test file label)
  get_filename_component(name ${file} NAME_WE)
  list(TRANSFORM ARGN PREPEND comity_ OUTPUT_VARIABLE libs)
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE ${libs} comity_testing PkgConfig::cmocka)
  set(timeout 120)
  if(COMITY_SANITIZE)
    set(timeout 600) # what every stack frame pays is paid by the fault sweeps a million times
  endif()
  add_test(NAME ${label}/${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout})
endfunction()
