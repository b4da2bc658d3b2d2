#pragma once
#include <functional>

#include "serving/http/message.h"
#include "serving/surfaces/work_thread.h"

namespace millrace::serving {

// Runs `work`, which may take long and may answer later, on `thread`, and answers with what it
// makes: 429 when `max_waiting` wait already, 503 when the server is stopping.
Answer on_work_thread(WorkThread& thread, std::size_t max_waiting, std::function<Answer()> work);

}  // namespace millrace::serving
