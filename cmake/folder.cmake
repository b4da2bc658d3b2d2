# millrace_headers(TARGET FILE...): the headers of a library; each must compile on its own
# (target all_verify_interface_header_sets).
function(millrace_headers target)
  if(ARGN)
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${ARGN})
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()
endfunction()

# millrace_folder(NAME DEP...): the library of one source folder, all its .cc files.
function(millrace_folder name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/(app|train)/main\\.cc$")
  add_library(millrace_${name} STATIC ${sources} ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${name}/*.h)
  millrace_headers(millrace_${name} ${headers})
  target_include_directories(millrace_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(millrace_${name} PRIVATE ${MILLRACE_WARNINGS})
  foreach(dep ${ARGN})
    if(TARGET millrace_${dep})
      target_link_libraries(millrace_${name} PUBLIC millrace_${dep})
    else()
      target_link_libraries(millrace_${name} PUBLIC ${dep})
    endif()
  endforeach()
  target_link_libraries(millrace_${name} PUBLIC Threads::Threads)
endfunction()

# millrace_protobuf(FOLDER): C++ from FOLDER/proto/*.proto, included as "schemas/proto/NAME.pb.h".
function(millrace_protobuf name)
  file(GLOB protos CONFIGURE_DEPENDS ${name}/proto/*.proto)
  set(out ${CMAKE_BINARY_DIR}/generated)
  foreach(proto ${protos})
    get_filename_component(stem ${proto} NAME_WE)
    set(base ${out}/${name}/proto/${stem}.pb)
    add_custom_command(OUTPUT ${base}.cc ${base}.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=lite:${out} ${proto}
      DEPENDS ${proto} VERBATIM)
    list(APPEND generated ${base}.cc)
  endforeach()
  if(generated)
    add_library(millrace_proto STATIC ${generated})
    target_include_directories(millrace_proto SYSTEM PUBLIC ${out})
    target_link_libraries(millrace_proto PUBLIC protobuf::libprotobuf-lite)
    target_link_libraries(millrace_${name} PUBLIC millrace_proto)
  endif()
endfunction()

# millrace_binary(NAME MAIN FOLDER [LIBRARY…]): the executable, left in the build folder's root.
function(millrace_binary name main folder)
  add_executable(${name} ${main})
  target_compile_options(${name} PRIVATE ${MILLRACE_WARNINGS})
  target_link_libraries(${name} PRIVATE millrace_${folder} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
