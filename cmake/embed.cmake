# millrace_embed(FOLDER FILE FUNCTION HEADER): the bytes of FILE are in the library of FOLDER, as what
# FUNCTION, declared in HEADER as std::string_view millrace::FOLDER::FUNCTION(), answers.
function(millrace_embed folder file function header)
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(out ${CMAKE_BINARY_DIR}/generated/${folder}/${function}.cc)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[#include "@header@"

asm(".pushsection .rodata\n"
    "embedded_@function@: .incbin \"@file@\"\n"
    "embedded_@function@_end: .byte 0\n"
    ".popsection\n");
extern "C" const char embedded_@function@[], embedded_@function@_end[];

std::string_view millrace::@folder@::@function@() {
  return {embedded_@function@, embedded_@function@_end};
}
]])
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(millrace_${folder} PRIVATE ${out})
endfunction()

# millrace_gzip(FUNCTION HEADER INPUT...): embeds all INPUTs, a line break after each, gzip'd, as a
# function of serving/surfaces/HEADER; nothing where one of them is missing and no rule makes it.
function(millrace_gzip function header)
  set(out ${CMAKE_BINARY_DIR}/generated/pages/${function}.gz)
  foreach(input ${ARGN})
    get_source_file_property(made ${input} GENERATED)
    if(NOT EXISTS ${input} AND NOT made)
      set(out ${CMAKE_BINARY_DIR}/generated/pages/nothing)
      file(WRITE ${out} "")
    endif()
  endforeach()
  if(out MATCHES gz$)
    add_custom_command(OUTPUT ${out} DEPENDS ${ARGN} VERBATIM
      COMMAND sh -c "out=$1; shift; for file; do cat \"$file\"; echo; done | gzip -9n > \"$out\""
        sh ${out} ${ARGN})
  endif()
  millrace_embed(serving ${out} ${function} serving/surfaces/${header})
endfunction()

# The documentation pages' files, from npm packages where ./dev could fetch them.
function(millrace_documentation_pages)
  set(npm ${CMAKE_SOURCE_DIR}/build/npm)
  set(swagger ${npm}/swagger-ui-dist)
  set(redoc ${npm}/redoc/bundles/redoc.standalone.js)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/pages)
  millrace_gzip(swagger_ui_js docs.h ${swagger}/swagger-ui-bundle.js
    ${swagger}/swagger-ui-standalone-preset.js ${CMAKE_SOURCE_DIR}/serving/surfaces/swagger.js)
  millrace_gzip(swagger_ui_css docs.h ${swagger}/swagger-ui.css)
  millrace_gzip(redoc_js docs.h ${redoc})
  millrace_gzip(docs_licenses docs.h ${swagger}/LICENSE ${swagger}/NOTICE
    ${swagger}/swagger-ui-bundle.js.LICENSE.txt ${swagger}/swagger-ui-standalone-preset.js.LICENSE.txt
    ${npm}/redoc/LICENSE ${redoc}.LICENSE.txt)
endfunction()

# The console of serving/console/, built by its own packages where ./dev could fetch them. They stay in
# build/npm, so that the sources are copied to where they find them.
function(millrace_console)
  set(source ${CMAKE_SOURCE_DIR}/serving/console)
  set(modules ${CMAKE_SOURCE_DIR}/build/npm/console/node_modules)
  set(contract ${CMAKE_SOURCE_DIR}/schemas/openapi/v1.yaml)
  set(out ${CMAKE_BINARY_DIR}/generated/console)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source}/*)
  if(EXISTS ${modules}/.pinned)
    add_custom_command(OUTPUT ${out}/dist/console.js ${out}/dist/console.css
      DEPENDS ${sources} ${contract} ${modules}/.pinned VERBATIM
      COMMAND ${CMAKE_COMMAND} -E rm -rf ${out}
      COMMAND ${CMAKE_COMMAND} -E copy_directory ${source} ${out}
      COMMAND ${CMAKE_COMMAND} -E create_symlink ${modules} ${out}/node_modules
      COMMAND ${CMAKE_COMMAND} -E env MILLRACE_CONTRACT=${contract}
        sh -c "cd \"$0\" && node node_modules/vite/bin/vite.js build --logLevel warn" ${out})
  endif()
  millrace_gzip(console_js console.h ${out}/dist/console.js)
  millrace_gzip(console_css console.h ${out}/dist/console.css)
  millrace_gzip(console_licenses console.h ${modules}/preact/LICENSE ${modules}/uplot/LICENSE)
endfunction()
