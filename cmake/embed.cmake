# comity_embed_migrations(TARGET FOLDER): NNNN_*.sql, in order, as the array `migrations` that
# daemon/store/migration.h declares.  Bytes, because C17 promises strings of 4,095 only.
function(comity_embed_migrations target folder)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  list(SORT files)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_migrations.c)
  set(arrays "")
  set(rows "")
  set(number 0)
  foreach(file ${files})
    math(EXPR number "${number} + 1")
    get_filename_component(name ${file} NAME_WE)
    if(NOT name MATCHES "^0*${number}_")
      message(FATAL_ERROR "${file}: migrations are numbered without gaps; this should be ${number}")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes ${hex})
    string(APPEND arrays "static const char sql_${number}[] = { ${bytes} 0 };\n")
    string(APPEND rows "    { \"${name}\", sql_${number} },\n")
  endforeach()
  file(CONFIGURE OUTPUT ${out} CONTENT "/* Made by cmake/embed.cmake. */
#include \"store/migration.h\"
${arrays}
const struct migration migrations[] = {
${rows}};
const int migration_count = ${number};
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()
