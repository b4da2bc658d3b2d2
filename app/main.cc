#include <exception>
#include <iostream>

#include "app/cli.h"
#include "app/verbs.h"

// Read by jemalloc at the start: memory that is free goes back after two seconds, by a thread of
// its own, and few arenas hold any.
extern "C" const char* const malloc_conf;  // NOLINT(readability-identifier-naming): jemalloc's name
const char* const malloc_conf = "background_thread:true,dirty_decay_ms:2000,narenas:4";

int main(int argc, char** argv) {
  try {
    return millrace::app::run_cli(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "millrace: " << error.what() << "\n";
    return millrace::app::kFailed;
  }
}
