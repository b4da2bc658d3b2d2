#include <exception>
#include <iostream>

#include "app/cli.h"
#include "app/verbs.h"

int main(int argc, char** argv) {
  try {
    return millrace::app::run_cli(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "millrace: " << error.what() << "\n";
    return millrace::app::kFailed;
  }
}
