# Settings that the presets switch; everything else is the same in every build.
set(MILLRACE_SANITIZE "" CACHE STRING "Comma-separated sanitizers for the whole build")
option(MILLRACE_FUZZ "Build the libFuzzer targets (clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
# Paths in objects do not name the machine, so that ccache serves every checkout.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

if(MILLRACE_SANITIZE)
  add_compile_options(-fsanitize=${MILLRACE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MILLRACE_SANITIZE})
  if(MILLRACE_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)
  endif()
endif()

# The fuzz build takes clang, whose idea of -Wconversion is another one; g++ is the judge of warnings.
if(MILLRACE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  return()
endif()
set(MILLRACE_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(MILLRACE_SANITIZE)
  # GCC 12 finds it in its own <regex> and <functional> once they are instrumented.
  list(APPEND MILLRACE_WARNINGS -Wno-maybe-uninitialized)
endif()
