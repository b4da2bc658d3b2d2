#pragma once
#include <functional>

#include "base/result.h"
#include "serving/http/message.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

// Runs `work`, which may take long and may answer later, on `thread`, and answers with what it
// makes. `when_full`, 429 unless told otherwise, when `max_waiting` wait already, 503 when the
// server is stopping.
Answer on_work_thread(WorkThread& thread, std::size_t max_waiting, std::function<Answer()> work,
                      Error when_full = {
                          Code::kExhausted, "too many wait for the same: try again", {}});

}  // namespace millrace::serving
