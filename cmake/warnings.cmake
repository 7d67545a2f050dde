# Warnings are linked, not global: third-party headers and generated code stay out of it.
add_library(nibble_warnings INTERFACE)
target_compile_options(nibble_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wsign-conversion -Wold-style-cast -Woverloaded-virtual -Wnon-virtual-dtor -Wimplicit-fallthrough
  -Wdouble-promotion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False positives of GCC 12 on inlined std::string (GCC bugs 105562, 105651).
  target_compile_options(nibble_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
