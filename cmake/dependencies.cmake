# Every library is a Debian package; tools/setup installs them, docs/decisions.md says what each is for.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED) # headers only: Asio, Beast, JSON
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
get_target_property(re2_options PkgConfig::re2 INTERFACE_COMPILE_OPTIONS)
if(re2_options) # glibc needs no -pthread any more, and with it re2's users could not share the precompiled headers
  list(REMOVE_ITEM re2_options -pthread)
  set_target_properties(PkgConfig::re2 PROPERTIES INTERFACE_COMPILE_OPTIONS "${re2_options}")
endif()
pkg_check_modules(libzstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET libsodium) # Ed25519ph, cosign's encrypted keys
pkg_check_modules(libfyaml REQUIRED IMPORTED_TARGET libfyaml)
find_library(ISAL_LIBRARY isal) # optional: three times faster gzip where the machine has it

find_path(EXPECTED_INCLUDE_DIR tl/expected.hpp REQUIRED)

if(WINDLASS_TESTS)
  find_package(GTest REQUIRED)
endif()
