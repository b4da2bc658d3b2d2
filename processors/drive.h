#pragma once

namespace millrace::processors {

// Who makes a part of the pipeline go on.
enum class Drive {
  kThread,  // a thread of its own
  kCaller,  // nobody but its step(): a simulation, which decides what comes first
};

}  // namespace millrace::processors
