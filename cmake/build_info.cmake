# "app/build_info.h": the version and what the server was built from.
set(MILLRACE_COMMIT unknown)
find_package(Git QUIET)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty --abbrev=12 --exclude=*
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE commit RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(MILLRACE_COMMIT ${commit})
  endif()
endif()
configure_file(${CMAKE_SOURCE_DIR}/app/build_info.h.in ${CMAKE_BINARY_DIR}/generated/app/build_info.h @ONLY)
target_include_directories(millrace_app PRIVATE ${CMAKE_BINARY_DIR}/generated)
