# nibble_library(NAME SOURCES a.cpp ... DEPENDS nibble_base ...): one static library a folder.
# Includes are relative to the repository root (the folder above this file's); which folder may include which is checked by
# scripts/check_includes.py.
function(nibble_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE nibble_warnings)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()
