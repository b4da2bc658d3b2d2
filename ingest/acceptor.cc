#include "ingest/acceptor.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "schemas/catalog_record.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::ingest {
namespace {

struct IdentityHash {
  std::size_t operator()(const state::Identity& identity) const {
    return static_cast<std::size_t>(identity.low);
  }
};

}  // namespace

Acceptor::Acceptor(EventLog& log, std::shared_ptr<const InteractionTable> table,
                   FindFirst find_first, const Clock& clock, Metrics& metrics, Options options)
    : log_(log),
      table_(std::move(table)),
      find_first_(std::move(find_first)),
      clock_(clock),
      ids_(clock),
      options_(options),
      accepted_(metrics.counter("events_accepted_total", "Events appended to the log.")),
      duplicates_(
          metrics.counter("events_duplicate_total", "Events known before they were appended.")),
      rejected_(metrics.counter("events_rejected_total", "Events that broke a rule.")) {}

Result<Interaction> Acceptor::check(Event event) const {
  const auto* type = table_->find(event.type);
  if (type == nullptr) {
    return fail(Code::kInvalid, "'" + event.type + "' is not in the interaction table", "type");
  }
  if (is_merged(event.source)) return fail(Code::kInvalid, "is that of merges", "source");
  const auto now = clock_.now();
  if (!event.time) event.time = now;
  if (*event.time > now + options_.future_ms) {
    return fail(Code::kInvalid,
                "lies more than " + std::to_string(options_.future_ms / 1000) + " s in the future",
                "time");
  }
  const auto* undo = event.toggle ? table_->find("un" + event.type) : nullptr;
  if (event.toggle && undo == nullptr) {
    return fail(Code::kInvalid, "'" + event.type + "' has no opposite", "type");
  }
  event.type.clear();
  event.toggle = false;  // the record says it
  Interaction accepted{std::move(event), type->number, type->weight};
  if (undo != nullptr) accepted.undo_type = undo->number, accepted.undo_weight = undo->weight;
  return accepted;
}

// Users with numbers that an account might get one day are made known to the catalog, a hundred
// numbers at a time, together with their first events.
void Acceptor::reserve_users(std::vector<Append>& appends) const {
  if (!options_.highest_user) return;
  constexpr std::uint64_t kAtOnce = 100;
  std::uint64_t highest = 0;
  for (const auto& append : appends) {
    highest = std::max(highest, user_number(append.key).value_or(0));
  }
  if (highest <= options_.highest_user()) return;
  const auto up_to = std::min((highest / kAtOnce + 1) * kAtOnce, kMaxUserNumber) - 1;
  appends.push_back({kCatalogPartition, {}, encode(CatalogRecord{{}, ReserveUsers{up_to}})});
}

void Acceptor::accept(std::vector<EventOutcome> events,
                      std::function<void(Result<Receipt>)> done) const {
  auto receipt = std::make_shared<Receipt>();
  std::vector<Append> appends;
  appends.reserve(events.size());
  std::unordered_set<state::Identity, IdentityHash> seen;
  seen.reserve(events.size());
  bool attributed = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& outcome = events[i];
    auto checked = outcome.event.and_then([this](Event& e) { return check(std::move(e)); });
    if (!checked) {
      receipt->rejected.push_back({i, std::move(outcome.id), std::move(checked.error())});
      continue;
    }
    auto& event = checked->event;
    attributed = attributed || !event.recommendation_id.empty();
    const bool minted = event.id.empty();
    if (minted) event.id = ids_.mint();
    const auto identity = state::identity_of(event.user.value, event.source, event.id);
    const auto partition = partition_of(event.user.value, log_.interaction_partitions());
    if (!minted) {
      const auto first = find_first_(partition, identity);
      if (first) receipt->position.include({Topic::kInteractions, partition}, first->offset);
      if (first || !seen.insert(identity).second) {
        ++receipt->duplicates;
        continue;
      }
    }
    receipt->appended.push_back(
        {i, event.id, minted, {Topic::kInteractions, partition}, 0, identity});
    auto key = event.user.value;
    appends.push_back({{Topic::kInteractions, partition},
                       std::move(key),
                       encode(LogRecord{std::move(*checked)})});
  }
  rejected_.inc(static_cast<double>(receipt->rejected.size()));
  duplicates_.inc(static_cast<double>(receipt->duplicates));
  if (appends.empty()) return done(std::move(*receipt));
  if (attributed && options_.before_attributed) options_.before_attributed();
  reserve_users(appends);
  log_.append(std::move(appends), [this, receipt, done = std::move(done)](AppendResult offsets) {
    if (!offsets) return done(tl::unexpected<Error>(std::move(offsets.error())));
    for (std::size_t k = 0; k < receipt->appended.size(); ++k) {
      auto& appended = receipt->appended[k];
      appended.offset = (*offsets)[k];
      receipt->position.include(appended.partition, appended.offset);
    }
    accepted_.inc(static_cast<double>(receipt->appended.size()));
    done(std::move(*receipt));
  });
}

}  // namespace millrace::ingest
