#include "serving/surfaces/slow_work.h"

#include <utility>

#include "serving/surfaces/common.h"

namespace millrace::serving {

Answer on_work_thread(WorkThread& thread, std::size_t max_waiting, std::function<Answer()> work) {
  return Later{[&thread, max_waiting, work = std::move(work)](auto finish) {
    const auto job = [work, finish](bool stopping) {
      if (stopping) {
        return finish(rendered(problem({Code::kUnavailable, "the server is stopping", {}})));
      }
      finish_with(work(), finish);
    };
    if (!thread.submit(job, max_waiting)) {
      finish(rendered(problem({Code::kExhausted, "too many wait for the same: try again", {}})));
    }
  }};
}

}  // namespace millrace::serving
