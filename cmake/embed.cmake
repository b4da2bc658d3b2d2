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

# millrace_gzip(FUNCTION INPUT...): embeds all INPUTs, a line break after each, gzip'd, as a function of
# serving/surfaces/docs.h; nothing where one of them is missing.
function(millrace_gzip function)
  set(out ${CMAKE_BINARY_DIR}/generated/docs/${function}.gz)
  foreach(input ${ARGN})
    if(NOT EXISTS ${input})
      set(out ${CMAKE_BINARY_DIR}/generated/docs/nothing)
      file(WRITE ${out} "")
    endif()
  endforeach()
  if(out MATCHES gz$)
    add_custom_command(OUTPUT ${out} DEPENDS ${ARGN} VERBATIM
      COMMAND sh -c "out=$1; shift; for file; do cat \"$file\"; echo; done | gzip -9n > \"$out\""
        sh ${out} ${ARGN})
  endif()
  millrace_embed(serving ${out} ${function} serving/surfaces/docs.h)
endfunction()

# The documentation pages' files, from npm packages where ./dev could fetch them.
function(millrace_documentation_pages)
  set(npm ${CMAKE_SOURCE_DIR}/build/npm)
  set(swagger ${npm}/swagger-ui-dist)
  set(redoc ${npm}/redoc/bundles/redoc.standalone.js)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/docs)
  millrace_gzip(swagger_ui_js ${swagger}/swagger-ui-bundle.js
    ${swagger}/swagger-ui-standalone-preset.js ${CMAKE_SOURCE_DIR}/serving/surfaces/swagger.js)
  millrace_gzip(swagger_ui_css ${swagger}/swagger-ui.css)
  millrace_gzip(redoc_js ${redoc})
  millrace_gzip(docs_licenses ${swagger}/LICENSE ${swagger}/NOTICE
    ${swagger}/swagger-ui-bundle.js.LICENSE.txt ${swagger}/swagger-ui-standalone-preset.js.LICENSE.txt
    ${npm}/redoc/LICENSE ${redoc}.LICENSE.txt)
endfunction()
