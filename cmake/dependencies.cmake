# Debian's libraries.  libcsv has no .pc file and protobuf-c no CMake configuration.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(pair "uv:libuv>=1.44" "crypto:libcrypto>=3.0" "ssl:libssl>=3.0" "protobufc:libprotobuf-c>=1.4"
        "sqlite:sqlite3>=3.40" "inih:inih" "smartcols:smartcols" "zstd:libzstd"
        "utf8proc:libutf8proc" "sodium:libsodium>=1.0.18")
  string(REPLACE ":" ";" parts ${pair})
  list(GET parts 0 name)
  list(GET parts 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
endforeach()
find_library(CSV_LIBRARY csv REQUIRED)
find_path(CSV_INCLUDE_DIR csv.h REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
  pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET GLOBAL cmocka)
endif()
