#include "processors/training/jobs.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace millrace::processors {

std::string_view job_state_name(JobState state) {
  constexpr std::string_view kNames[] = {"waiting", "running", "done", "failed", "cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

Jobs::Jobs(const Clock& clock, Metrics& metrics)
    : clock_(clock),
      metrics_(metrics),
      ids_(clock),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Jobs::~Jobs() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries_) entry->control.cancelled_ = true;
  }
  thread_.request_stop();
  thread_.join();
  for (const auto& entry : entries_) {
    if (!entry->job.over()) finish(entry, JobState::kCancelled, std::string());
  }
}

Result<Job> Jobs::submit(const std::string& kind, Work work, Done done) {
  const std::lock_guard lock(mutex_);
  std::size_t waiting = 0;
  for (const auto& entry : entries_) {
    if (entry->job.over()) continue;
    ++waiting;
    if (entry->job.kind != kind || entry->control.cancelled()) continue;
    if (done) entry->done.push_back(std::move(done));
    return copy(*entry);
  }
  if (waiting >= kMaxWaiting) {
    return fail(Code::kExhausted, "16 jobs wait already: try again when one is over");
  }
  auto entry = std::make_shared<Entry>();
  entry->job.id = ids_.mint();
  entry->job.kind = kind;
  entry->job.created = clock_.now();
  entry->work = std::move(work);
  if (done) entry->done.push_back(std::move(done));
  while (entries_.size() >= kMaxKept && entries_.front()->job.over()) entries_.pop_front();
  entries_.push_back(entry);
  changed_.notify_one();
  return copy(*entry);
}

Job Jobs::copy(const Entry& entry) const {
  Job job = entry.job;
  if (!job.over()) job.progress = entry.control.progress_.load(std::memory_order_relaxed);
  return job;
}

Jobs::Shared Jobs::entry(std::string_view id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& one) { return one->job.id == id; });
  return found == entries_.end() ? nullptr : *found;
}

std::optional<Job> Jobs::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entry(id);
  return found ? std::optional(copy(*found)) : std::nullopt;
}

std::vector<Job> Jobs::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Job> jobs;
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) jobs.push_back(copy(**at));
  return jobs;
}

Result<Job> Jobs::cancel(std::string_view id) {
  Shared found;
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    found = entry(id);
    if (!found) return fail(Code::kNotFound, "no job has this id");
    if (found->job.over()) return fail(Code::kConflict, "this job is over");
    found->control.cancelled_ = true;
    waits = found->job.state == JobState::kWaiting;
  }
  if (waits) finish(found, JobState::kCancelled, std::string());
  const std::lock_guard lock(mutex_);
  return copy(*found);
}

void Jobs::finish(const Shared& entry, JobState state, Result<std::string> result) {
  std::vector<Done> done;
  Job job;
  {
    const std::lock_guard lock(mutex_);
    if (entry->job.over()) return;
    entry->job.state = state;
    entry->job.progress = state == JobState::kDone ? 1.0 : entry->control.progress_.load();
    entry->job.finished = clock_.now();
    if (result) {
      entry->job.result = *std::move(result);
    } else {
      entry->job.error = result.error().detail;
    }
    entry->work = {};
    done = std::exchange(entry->done, {});
    job = entry->job;
  }
  metrics_
      .counter("jobs_total", "Jobs that are over, by kind and outcome.",
               {{"kind", job.kind}, {"state", std::string(job_state_name(state))}})
      .inc();
  if (state == JobState::kFailed) log_warn("job " + job.kind + " failed: " + job.error);
  for (const auto& call : done) call(job);
}

void Jobs::run(const std::stop_token& stop) {
  // Of this thread alone (Linux): whoever asks goes first.
  constexpr int kNice = 10;
  ::setpriority(PRIO_PROCESS, 0, kNice);
  while (true) {
    Shared next;
    Work work;
    {
      std::unique_lock lock(mutex_);
      const auto waits = [&] {
        const auto found = std::find_if(entries_.begin(), entries_.end(), [](const auto& one) {
          return one->job.state == JobState::kWaiting && !one->control.cancelled();
        });
        next = found == entries_.end() ? nullptr : *found;
        return next != nullptr;
      };
      if (!changed_.wait(lock, stop, waits) || stop.stop_requested()) return;
      next->job.state = JobState::kRunning;
      next->job.started = clock_.now();
      work = next->work;
    }
    auto result = work(next->control);
    const bool cancelled = !result && next->control.cancelled();
    const auto state = result      ? JobState::kDone
                       : cancelled ? JobState::kCancelled
                                   : JobState::kFailed;
    finish(next, state, cancelled ? Result<std::string>(std::string()) : std::move(result));
  }
}

}  // namespace millrace::processors
