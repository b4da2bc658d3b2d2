#pragma once
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "state/experiments.h"

namespace millrace::serving {

// What an experiment has come to so far, over all partitions: one JSON value.
void append_results(JsonWriter& out, const Deps& deps, const Experiment& experiment);

}  // namespace millrace::serving
