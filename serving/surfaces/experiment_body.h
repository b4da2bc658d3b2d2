#pragma once
#include "schemas/json_writer.h"
#include "serving/http/message.h"
#include "state/experiments.h"

namespace millrace::serving {

// An experiment in the form of seed 002.

// What a request's body asks for. kInvalid names the member ("variants.0.config.algorithm") and its
// rule.
Result<Experiment> experiment_in(const Request& request);

// The members of an experiment as it is at `now`; the object that they are in is the caller's.
void append_experiment(JsonWriter& out, const state::KeptExperiment& experiment, UnixMillis now);

}  // namespace millrace::serving
