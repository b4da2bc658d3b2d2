#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "schemas/ids.h"

namespace millrace {

// Sources of events that a merge has copied from another person; no client may use them. The second
// is that of copies of tracked ones.
inline constexpr const char* kMergedSource = "/merge";
inline constexpr const char* kMergedTrackedSource = "/merge/interactions";
inline bool is_merged(std::string_view source) {
  return source == kMergedSource || source == kMergedTrackedSource;
}

// An interaction as a client says it: a CloudEvent with its `data` unfolded. Empty text: not given.
struct Event {
  std::string source;  // CloudEvents `source`; (source, id) is the event's identity for its user
  std::string id;
  std::string type;  // bare name of the interaction type, e.g. "like"
  UserId user;
  ItemId item;
  std::optional<UnixMillis> time;  // event time; absent: the time of acceptance
  std::string session;
  std::optional<std::int32_t> value_centi;  // `value` in hundredths: 4.5 stars is 450
  std::optional<std::uint32_t> duration_s;
  std::string mood;
  std::optional<std::uint32_t> mood_intensity;  // 1-10
  std::string device;
  std::string context;  // plain text, or JSON text of an object
  bool context_is_object = false;
  std::string notes;
  std::string recommendation_id;
  bool toggle = false;  // its opposite, where it holds already: a like that may be an unlike

  friend bool operator==(const Event&, const Event&) = default;
};

// An accepted event as the `interactions` log holds it. `type` numbers come from the ruleset's
// table; the weight rides along so that apply needs no configuration.
struct Interaction {
  Event event;  // event.type is empty here: type_number says it; event.time is set
  std::uint32_t type_number = 0;
  std::int32_t weight = 0;
  // Of a toggle: what it is where the person's row has it already. 0: it is none.
  std::uint32_t undo_type = 0;
  std::int32_t undo_weight = 0;

  friend bool operator==(const Interaction&, const Interaction&) = default;
};

struct InteractionTypeName {
  std::uint32_t number = 0;
  std::string name;
  friend bool operator==(const InteractionTypeName&, const InteractionTypeName&) = default;
};

// How long rows of a type that came by /interactions/track are kept.
struct TypeRetention {
  std::uint32_t type = 0;
  std::int64_t ms = 0;
  friend bool operator==(const TypeRetention&, const TypeRetention&) = default;
};

// What apply needs to know beside the record. Changed only by a control record in the partition's
// own log; configuration merely proposes one. Units: milliseconds of log time unless named
// otherwise.
struct Ruleset {
  std::uint32_t rule_version = 2;                           // from 2 on tracked rows are kept
  std::vector<InteractionTypeName> types;                   // ascending by number
  std::int64_t short_half_life_ms = 6LL * 3600 * 1000;      // trending now
  std::int64_t long_half_life_ms = 7LL * 24 * 3600 * 1000;  // rising compares with this
  std::uint32_t sequence_window = 50;                       // co-occurrence: a person's last items
  std::uint64_t dedupe_ids = 1'000'000;                     // M: ids remembered per partition
  std::int64_t dedupe_ms = 24LL * 3600 * 1000;
  std::int64_t history_retention_ms = 0;         // 0: kept for ever
  std::vector<TypeRetention> tracked_retention;  // ascending by type; others are kept for ever

  friend bool operator==(const Ruleset&, const Ruleset&) = default;
};

// Demands on one person's facts, carried from `catalog` at `catalog_offset`. With `events` (of a
// merge) only while the person's events are so many: nothing happens, and the demand stays open,
// where more have come since they were copied.
struct EraseUser {
  UserId user;
  Offset catalog_offset = 0;
  std::optional<std::uint64_t> events{};
  friend bool operator==(const EraseUser&, const EraseUser&) = default;
};

// An answer that recommended something: one record, however many items it had.
struct Impression {
  std::string recommendation_id;
  UserId user;
  std::string algorithm;
  std::uint64_t seed = 0;
  UnixMillis time = 0;
  std::vector<ItemId> items;    // in the answer's order
  std::vector<float> scores{};  // of the items; none: not known
  std::string experiment{};     // id of the one that it is part of; empty: of none
  std::uint32_t arm = 0;        // number of the experiment's variant
  // Of interleaving, by item: whether the second variant put it there. Empty: it is none.
  std::vector<bool> second{};
  friend bool operator==(const Impression&, const Impression&) = default;
};

// The person's tracked rows that are beyond their retention go.
struct ExpireTracked {
  UserId user;
  friend bool operator==(const ExpireTracked&, const ExpireTracked&) = default;
};

// A record of the `interactions` log.
using LogRecord = std::variant<Interaction, Ruleset, EraseUser, Impression, ExpireTracked>;

}  // namespace millrace
