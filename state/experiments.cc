#include "state/experiments.h"

#include <algorithm>
#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::string row_of(const KeptExperiment& experiment) {
  proto::Experiment asked;
  fill(asked, experiment.asked);
  proto::ExperimentRow row;
  row.set_experiment(asked.SerializeAsString());
  row.set_created_ms(experiment.created);
  row.set_stopped_ms(experiment.stopped);
  return row.SerializeAsString();
}

bool before(const ExperimentsView::Shared& a, const ExperimentsView::Shared& b) {
  return a->asked.start != b->asked.start ? a->asked.start < b->asked.start
                                          : a->asked.id < b->asked.id;
}

}  // namespace

Phase phase_of(const KeptExperiment& experiment, UnixMillis now) {
  if (experiment.stopped != 0) return Phase::kStopped;
  if (now < experiment.asked.start) return Phase::kScheduled;
  return now < experiment.asked.end ? Phase::kRunning : Phase::kEnded;
}

ExperimentsView::Shared ExperimentsView::find(std::string_view id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second;
}

ExperimentsView::Shared ExperimentsView::running(UnixMillis now) const {
  for (const auto& one : open_) {
    if (one->asked.start > now) break;
    if (now < one->asked.end) return one;
  }
  return nullptr;
}

void Experiments::keep(KeptExperiment experiment) {
  auto next = std::make_shared<ExperimentsView>(*now_);
  const auto kept = std::make_shared<const KeptExperiment>(std::move(experiment));
  const auto& id = kept->asked.id;
  std::erase_if(next->open_, [&id](const auto& one) { return one->asked.id == id; });
  if (kept->stopped == 0) {
    next->open_.insert(std::upper_bound(next->open_.begin(), next->open_.end(), kept, before),
                       kept);
  }
  next->all_.insert_or_assign(id, kept);
  now_ = std::move(next);
}

CommandVerdict Experiments::apply(const PutExperiment& put, UnixMillis log_time) {
  if (now_->find(put.experiment.id)) return {CommandOutcome::kNameTaken};
  if (now_->all().size() >= kMaxExperiments) return {CommandOutcome::kFull};
  KeptExperiment experiment{put.experiment, log_time};
  rows_.put(keys::of(keys::kExperiment, put.experiment.id), row_of(experiment));
  keep(std::move(experiment));
  return {CommandOutcome::kCreated};
}

CommandVerdict Experiments::apply(const StopExperiment& stop, UnixMillis log_time) {
  const auto found = now_->find(stop.id);
  if (!found) return {CommandOutcome::kNotFound};
  if (found->stopped != 0) return {CommandOutcome::kReplaced};
  KeptExperiment stopped = *found;
  stopped.stopped = std::max<UnixMillis>(log_time, 1);
  rows_.put(keys::of(keys::kExperiment, stop.id), row_of(stopped));
  keep(std::move(stopped));
  return {CommandOutcome::kReplaced};
}

Status Experiments::restore(std::string_view row) {
  proto::ExperimentRow message;
  proto::Experiment asked;
  if (!parse_message(message, row) || !parse_message(asked, message.experiment())) {
    return corrupt_bytes("experiment's row");
  }
  MILLRACE_TRY(auto experiment, experiment_of(asked));
  keep({std::move(experiment), message.created_ms(), message.stopped_ms()});
  return {};
}

}  // namespace millrace::state
