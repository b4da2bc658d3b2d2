#include "serving/surfaces/slow_work.h"

#include <utility>

#include "serving/surfaces/common.h"

namespace millrace::serving {

Answer on_work_thread(WorkThread& thread, std::size_t max_waiting, std::function<Answer()> work,
                      Error when_full) {
  return Later{[&thread, max_waiting, work = std::move(work),
                when_full = std::move(when_full)](auto finish) {
    const auto job = [work, finish](bool stopping) {
      if (stopping) {
        return finish(rendered(problem({Code::kUnavailable, "the server is stopping", {}})));
      }
      finish_with(work(), finish);
    };
    if (!thread.submit(job, max_waiting)) {
      finish(rendered(problem(when_full)));
    }
  }};
}

}  // namespace millrace::serving
