#include "serving/surfaces/erasure.h"

#include <optional>
#include <utility>

#include "schemas/partitioner.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

// Tells when the demand of a command at `catalog_offset` has been carried out in the person's
// partition, and of a merge in the other's, and readers see it.
class CarriedOut {
 public:
  CarriedOut(const Deps& deps, MergePeople people, Offset catalog_offset)
      : engine_(deps.engine),
        log_(deps.log),
        people_(std::move(people)),
        of_person_(partition_of_person(deps, people_.user)),
        of_other_(partition_of_person(deps, people_.into)),
        catalog_offset_(catalog_offset) {}

  static LogPartition partition_of_person(const Deps& deps, const UserId& user) {
    return {Topic::kInteractions, partition_of(user.value, deps.engine->partitions())};
  }

  bool operator()() {
    if (!demand_) {
      if (engine_->publisher().visible(kCatalogPartition) <= catalog_offset_) return false;
      demand_ = demand();
    }
    if (needed_ < 0) {
      const auto published = engine_->store(of_person_.index).published();
      if (published.carried_catalog_offset < *demand_) return false;
      needed_ = published.next_offset;
      if (merges()) needed_of_other_ = log_->end(of_other_);
    }
    const auto& publisher = engine_->publisher();
    return publisher.visible(of_person_) >= needed_ &&
           (!merges() || publisher.visible(of_other_) >= needed_of_other_);
  }

 private:
  bool merges() const { return !people_.into.value.empty(); }

  // The command's own, or, where it repeats an earlier one, the last of this person before it.
  Offset demand() const {
    const auto& catalog = engine_->catalog();
    const auto own = catalog.demands_after(catalog_offset_ - 1, 1);
    if (!own.empty() && own.front().catalog_offset == catalog_offset_) return catalog_offset_;
    Offset last = -1;
    for (const auto& demand : catalog.demands_after(-1, SIZE_MAX)) {
      if (demand.catalog_offset > catalog_offset_) break;
      if (demand.erase == people_.user) last = demand.catalog_offset;
    }
    return last;
  }

  const processors::Engine* engine_;
  const ingest::EventLog* log_;
  MergePeople people_;  // into nobody: an erasure
  LogPartition of_person_, of_other_;
  Offset catalog_offset_;
  std::optional<Offset> demand_;
  Offset needed_ = -1;  // one past the record that readers must see; -1: not yet carried out
  Offset needed_of_other_ = -1;
};

// What has been carried out is behind this.
void set_carried_position(Reply& reply, const Deps& deps, const MergePeople& people,
                          Offset catalog_offset) {
  Position position;
  position.include(kCatalogPartition, catalog_offset);
  for (const auto& user : {people.user, people.into}) {
    if (user.value.empty()) continue;
    const auto partition = CarriedOut::partition_of_person(deps, user);
    const auto visible = deps.engine->publisher().visible(partition);
    if (visible > 0) position.include(partition, visible - 1);
  }
  set_position(reply, position);
}

// Answers with `done` where the catalog has taken the demand; the position is put in.
Answer demand(const Deps& deps, const CatalogRecord& record, const MergePeople& people,
              std::function<Reply()> done) {
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  return Later{[deps, people, name = record.command_id, bytes = encode(record),
                done = std::move(done)](auto finish) {
    const auto appended = [deps, people, name, done,
                           finish = std::move(finish)](ingest::AppendResult offsets) {
      if (!offsets) return finish(rendered(problem(offsets.error())));
      const auto at = offsets->front();
      deps.engine->publisher().when(
          CarriedOut(deps, people, at), deps.options.position_wait_ms,
          [deps, people, name, done, at, finish](bool carried_out) {
            finish([=] {
              if (!carried_out) return outcome_unknown(name);
              if (deps.engine->catalog().outcome(name) == state::CommandOutcome::kNotFound) {
                return problem({Code::kNotFound, "there is none with this id", {}});
              }
              Reply reply = done();
              set_carried_position(reply, deps, people, at);
              return reply;
            });
          });
    };
    deps.log->append({{kCatalogPartition, {}, bytes}}, appended);
  }};
}

}  // namespace

Answer erase_person(const Deps& deps, CatalogRecord record, std::string user) {
  return demand(deps, record, {UserId(std::move(user)), {}}, no_content);
}

Answer merge_people(const Deps& deps, CatalogRecord record, const MergePeople& people,
                    std::function<Reply()> done) {
  return demand(deps, record, people, std::move(done));
}

}  // namespace millrace::serving
