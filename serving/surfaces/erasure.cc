#include "serving/surfaces/erasure.h"

#include <optional>
#include <utility>

#include "schemas/partitioner.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

// Tells when the demand of a command at `catalog_offset` has been carried out in the person's
// partition and readers see it.
class Erased {
 public:
  Erased(const processors::Engine& engine, std::string user, Offset catalog_offset)
      : engine_(&engine),
        user_(std::move(user)),
        partition_(partition_of(user_, engine.partitions())),
        catalog_offset_(catalog_offset) {}

  bool operator()() {
    if (!demand_) {
      if (engine_->publisher().visible(kCatalogPartition) <= catalog_offset_) return false;
      demand_ = demand();
    }
    if (needed_ < 0) {
      const auto published = engine_->store(partition_).published();
      if (published.carried_catalog_offset < *demand_) return false;
      needed_ = published.next_offset;
    }
    return engine_->publisher().visible({Topic::kInteractions, partition_}) >= needed_;
  }

 private:
  // The command's own, or, where it repeats an earlier one, the last of this person before it.
  Offset demand() const {
    const auto& catalog = engine_->catalog();
    const auto own = catalog.demands_after(catalog_offset_ - 1, 1);
    if (!own.empty() && own.front().catalog_offset == catalog_offset_) return catalog_offset_;
    Offset last = -1;
    for (const auto& demand : catalog.demands_after(-1, SIZE_MAX)) {
      if (demand.catalog_offset > catalog_offset_) break;
      if (demand.erase.value == user_) last = demand.catalog_offset;
    }
    return last;
  }

  const processors::Engine* engine_;
  std::string user_;
  std::uint16_t partition_;
  Offset catalog_offset_;
  std::optional<Offset> demand_;
  Offset needed_ = -1;  // one past the record that readers must see; -1: not yet carried out
};

Reply erased_reply(const Deps& deps, const std::string& user, const std::string& command,
                   Offset catalog_offset) {
  const auto& engine = *deps.engine;
  if (engine.catalog().outcome(command) == state::CommandOutcome::kNotFound) {
    return problem({Code::kNotFound, "there is none with this id", {}});
  }
  Reply reply = no_content();
  Position position;
  position.include(kCatalogPartition, catalog_offset);
  const LogPartition of_person{Topic::kInteractions, partition_of(user, engine.partitions())};
  const auto visible = engine.publisher().visible(of_person);
  if (visible > 0) position.include(of_person, visible - 1);
  set_position(reply, position);
  return reply;
}

}  // namespace

Answer erase_person(const Deps& deps, CatalogRecord record, std::string user) {
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  return Later{[deps, user = std::move(user), name = record.command_id,
                bytes = encode(record)](auto finish) {
    const auto appended = [deps, user, name,
                           finish = std::move(finish)](ingest::AppendResult offsets) {
      if (!offsets) return finish(rendered(problem(offsets.error())));
      deps.engine->publisher().when(
          Erased(*deps.engine, user, offsets->front()), deps.options.position_wait_ms,
          [deps, user, name, offset = offsets->front(), finish](bool done) {
            finish([=] {
              return done ? erased_reply(deps, user, name, offset) : outcome_unknown(name);
            });
          });
    };
    deps.log->append({{kCatalogPartition, {}, bytes}}, appended);
  }};
}

}  // namespace millrace::serving
