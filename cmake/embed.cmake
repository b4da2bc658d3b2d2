# millrace_embed(FOLDER FILE FUNCTION HEADER): compiles the text of FILE into the library of FOLDER,
# as what FUNCTION, declared in HEADER as std::string_view millrace::FOLDER::FUNCTION(), answers.
# As a script (-P) with IN, OUT, NAMESPACE, FUNCTION and HEADER it writes that source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${IN}" text)
  file(WRITE "${OUT}" "#include \"${HEADER}\"

std::string_view ${NAMESPACE}::${FUNCTION}() {
  return R\"embedded(${text})embedded\";
}
")
  return()
endif()

function(millrace_embed folder file function header)
  set(out ${CMAKE_BINARY_DIR}/generated/${folder}/${function}.cc)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_SOURCE_DIR}/${file} -DOUT=${out}
      -DNAMESPACE=millrace::${folder} -DFUNCTION=${function} -DHEADER=${header} -P ${script}
    DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${script} VERBATIM)
  target_sources(millrace_${folder} PRIVATE ${out})
endfunction()
