#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/experiment.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

// An experiment as the catalog keeps it. Times but the experiment's own are log times.
struct KeptExperiment {
  Experiment asked;
  UnixMillis created = 0;
  UnixMillis stopped = 0;  // 0: it was not
};

// Of an experiment at one time. One that has stopped never runs again.
enum class Phase : std::uint8_t { kScheduled, kRunning, kEnded, kStopped };
Phase phase_of(const KeptExperiment& experiment, UnixMillis now);

// All experiments at one place of the catalog's log. Immutable.
class ExperimentsView {
 public:
  using Shared = std::shared_ptr<const KeptExperiment>;

  Shared find(std::string_view id) const;  // null: there is none
  // The one that answers at `now` are part of: of those that run then the one that started first,
  // equal ones by id, so that a new one never takes people from one that runs. Null: none.
  Shared running(UnixMillis now) const;
  const std::map<std::string, Shared, std::less<>>& all() const { return all_; }

 private:
  friend class Experiments;
  std::map<std::string, Shared, std::less<>> all_;
  std::vector<Shared> open_;  // not stopped; by start, then id
};

// What the catalog holds of them at most; more are refused (kFull).
inline constexpr std::size_t kMaxExperiments = 1'000;

// Applies what the catalog's log says of experiments. One thread.
class Experiments {
 public:
  explicit Experiments(FactRows& rows) : rows_(rows) {}

  CommandVerdict apply(const PutExperiment& put, UnixMillis log_time);
  CommandVerdict apply(const StopExperiment& stop, UnixMillis log_time);

  std::shared_ptr<const ExperimentsView> view() const { return now_; }
  Status restore(std::string_view row);  // on opening; kCorrupt

 private:
  void keep(KeptExperiment experiment);

  FactRows& rows_;
  std::shared_ptr<const ExperimentsView> now_ = std::make_shared<const ExperimentsView>();
};

}  // namespace millrace::state
