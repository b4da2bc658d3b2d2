#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/event_log.h"
#include "processors/event_tap.h"
#include "processors/prequential/test_queue.h"
#include "processors/views/sessions.h"
#include "schemas/event.h"
#include "schemas/record.h"
#include "state/catalog_view.h"
#include "state/partition_store.h"

namespace millrace::processors {

// What applying tells the views that are kept event by event beside the facts. Called by the
// writer.
class ViewSink {
 public:
  virtual ~ViewSink() = default;
  // `item` enters a person's sequence behind `window`, its items before (oldest first). Need not
  // show before settle().
  virtual void entered(std::uint16_t partition, std::string_view user, state::ItemIndex item,
                       const std::vector<state::ItemIndex>& window) = 0;
  // A step of a person's session.
  virtual void visited(const Visit& visit) = 0;
  // A person who had `sequence` (oldest first) is gone; each item paired with `window` before it.
  virtual void erased(std::uint16_t partition, std::string_view user,
                      const std::vector<state::ItemIndex>& sequence, std::uint32_t window) = 0;
  // Everything that this partition's writer has said shows from now on.
  virtual void settle(std::uint16_t partition) = 0;
  // A row of a person of `partition` changed in what profiles rest on; `person` has it already.
  // Answers the new profile.
  virtual std::shared_ptr<const state::Profile> changed(
      std::uint16_t partition, const state::Profile* profile, const state::Person& person,
      const state::ItemRow& before, const state::ItemRow& after, state::ItemIndex item) = 0;
  // The event at `offset` rated `item` or took a rating away.
  virtual void rated(const InteractionView& event, Offset offset, state::ItemIndex item) = 0;
  // A person has done something, or was shown something, at `log_time`.
  virtual void seen(std::uint16_t /*partition*/, std::string_view /*user*/,
                    UnixMillis /*log_time*/) {}
  // An answer was shown to its person; a person did something with an item that weighs more than
  // nothing. Both in the log's order, at `log_time`.
  virtual void shown(std::uint16_t /*partition*/, const Impression& /*answer*/,
                     UnixMillis /*log_time*/) {}
  virtual void acted(std::uint16_t /*partition*/, const InteractionView& /*event*/,
                     Offset /*offset*/, state::ItemIndex /*item*/, UnixMillis /*log_time*/) {}
  // A rating is gone together with the person.
  virtual void forgotten(std::string_view user, state::ItemIndex item) = 0;
};

struct ApplyFigures {
  std::uint64_t applied = 0;  // interactions counted
  std::uint64_t duplicates_by_id = 0;
  std::uint64_t duplicates_by_offset = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t late = 0;  // too old for any trend
  std::uint64_t controls = 0;
};

// Folds a partition's records into its store. The result depends on the records, their offsets and
// their log times alone: no clock, no configuration, no other partition. One thread.
class Applier {
 public:
  // `tap` hears of every event that counts, `tests` of those of sampled people; null: nobody does.
  Applier(state::PartitionStore& store, ViewSink& views, EventTap* tap = nullptr,
          TestQueue* tests = nullptr)
      : store_(store), views_(views), tap_(tap), tests_(tests) {}

  // Applies records in order; those below applied().next_offset have been applied before and are
  // dropped. An error is RocksDB's; applying may be tried again from applied().next_offset.
  Status apply(const std::vector<ingest::StoredRecord>& records);

  const ApplyFigures& figures() const { return figures_; }

 private:
  Status apply_slice(std::span<const ingest::StoredRecord> records);
  // What is found out of a record before its turn, while what it needs comes from memory.
  struct Decoded {
    Result<LogRecordView> record;
    state::Identity identity;
    std::optional<state::ItemNumber> item;  // its number if it has one by then
  };
  void decode(std::string_view bytes);
  void apply_one(const ingest::StoredRecord& record, const Decoded& ahead);
  void apply_interaction(const ingest::StoredRecord& record, const InteractionView& interaction,
                         const Decoded& decoded);
  state::Verdict fold(const ingest::StoredRecord& record, const InteractionView& interaction,
                      state::ItemNumber item);
  void apply_impression(const Impression& impression, Offset offset);
  void count_now(std::uint64_t state::AttributionCounts::*step);
  void attribute(state::Person& person, const InteractionView& interaction);
  void apply_ruleset(const Ruleset& ruleset);
  void erase(const EraseUser& demand);
  state::Verdict bury(const ingest::StoredRecord& record, const Error& error,
                      std::string_view user);
  bool knows_type(std::uint32_t number) const;
  state::ItemIndex index_of(state::ItemNumber item);
  void hand_on();

  state::PartitionStore& store_;
  ViewSink& views_;
  EventTap* tap_;
  TestQueue* tests_;
  bool tapping_ = false;
  TappedBatch tapped_;
  bool copied_ = false;  // the event at hand is a copy that a merge made
  Ruleset ruleset_;
  bool ruleset_loaded_ = false;
  ApplyFigures figures_;
  // Of the batch and the event at hand; members for the room they have grown to.
  std::vector<Decoded> decoded_;
  std::vector<state::Expected> expected_;
  std::vector<state::ItemIndex> window_;
  std::vector<state::ItemIndex> indexes_;  // by number, as far as asked for
};

// Rates an item or takes a rating away.
bool is_rating(std::uint32_t type);

// The 64-bit hash of a record's bytes that `applied` keeps, to notice a log that is not the one
// applied.
std::uint64_t record_hash(std::string_view bytes);

}  // namespace millrace::processors
