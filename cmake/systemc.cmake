# A self-built SystemC 3 brings its own package; Debian's 2.3.4 only pkg-config. Debian's library is built as
# C++17 and says so in a symbol name: tell its headers the same, or C++20 code does not link.
find_package(SystemCLanguage QUIET CONFIG)
add_library(nibble_systemc INTERFACE)
if(TARGET SystemC::systemc)
  target_link_libraries(nibble_systemc INTERFACE SystemC::systemc)
else()
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc>=2.3.4)
  target_link_libraries(nibble_systemc INTERFACE PkgConfig::SYSTEMC)
  target_compile_definitions(nibble_systemc INTERFACE SC_CPLUSPLUS=201703L)
endif()
