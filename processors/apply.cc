#include "processors/apply.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "processors/experiments/exposure.h"
#include "processors/rules/list.h"
#include "processors/views/positives.h"
#include "schemas/interaction_table.h"
#include "schemas/record.h"
#include "state/history.h"

namespace millrace::processors {
namespace {

// Records are decoded, and what they need is asked for, so many at a time: what is fetched for more
// of them has left the cache again before it is used.
constexpr std::size_t kSlice = 256;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;

bool enters_sequence(const InteractionView& interaction, std::int32_t effective) {
  if (effective <= 0) return false;
  return interaction.type_number != static_cast<std::uint32_t>(BuiltIn::kRate) ||
         interaction.value_centi.value_or(0) >= kLikedRatingCenti;
}

// Adds to the person's trend share of the item. Answers false when the event is older than every
// trend: epochs are judged by log time, so that the answer does not depend on when this is applied.
bool add_trend(state::ItemRow& row, const Ruleset& ruleset, std::int32_t weight, UnixMillis time,
               UnixMillis log_time) {
  const UnixMillis at = std::clamp<UnixMillis>(time, 0, std::max<UnixMillis>(log_time, 0));
  const std::int64_t half_lives[] = {ruleset.short_half_life_ms, ruleset.long_half_life_ms};
  bool counted = false;
  for (std::size_t i = 0; i < state::kHalfLives; ++i) {
    const auto epoch = state::trend_epoch(at, half_lives[i]);
    if (epoch < state::trend_epoch(std::max<UnixMillis>(log_time, 0), half_lives[i]) - 1) continue;
    auto& share = row.trend[i];
    share.advance_to(epoch);
    if (epoch < share.epoch - 1) continue;
    auto& sum = epoch == share.epoch ? share.newer : share.older;
    const auto increment = state::trend_increment(weight, at, half_lives[i]);
    if (!__builtin_add_overflow(sum, increment, &sum)) {
      counted = true;
    } else {
      sum = increment > 0 ? INT64_MAX : -INT64_MAX;
    }
  }
  return counted;
}

InteractionView opposite_of(InteractionView toggle) {
  toggle.type_number = std::exchange(toggle.undo_type, 0);
  toggle.weight = std::exchange(toggle.undo_weight, 0);
  return toggle;
}

// Opens or takes in what was shown; whatever else is worth something acts on it.
bool is_click(std::uint32_t type) {
  switch (static_cast<BuiltIn>(type)) {
    case BuiltIn::kView:
    case BuiltIn::kProductView:
    case BuiltIn::kClick:
    case BuiltIn::kPlay:
    case BuiltIn::kComplete:
    case BuiltIn::kWatch: return true;
    default: return false;
  }
}

// Rows of what is tracked are kept from this version of the rules on.
constexpr std::uint32_t kTracksSince = 2;

std::int64_t keep_ms(const Ruleset& ruleset, std::uint32_t type) {
  for (const auto& retention : ruleset.tracked_retention) {
    if (retention.type == type) return retention.ms;
  }
  return 0;
}

bool profile_rests_on(const state::ItemRow& before, const state::ItemRow& after) {
  const auto viewed = static_cast<std::uint32_t>(BuiltIn::kProductView);
  return before.flags != after.flags || before.rating_centi != after.rating_centi ||
         (state::count_of(before.counts, viewed) > 0) !=
             (state::count_of(after.counts, viewed) > 0);
}

}  // namespace

std::uint64_t record_hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

bool is_rating(std::uint32_t type) {
  return type == static_cast<std::uint32_t>(BuiltIn::kRate) ||
         type == static_cast<std::uint32_t>(BuiltIn::kUnrate);
}

Status Applier::apply(const std::vector<ingest::StoredRecord>& records) {
  if (!std::exchange(ruleset_loaded_, true)) ruleset_ = store_.ruleset();
  tapping_ = tap_ != nullptr && tap_->open();
  for (std::size_t begin = 0; begin < records.size(); begin += kSlice) {
    const auto end = std::min(begin + kSlice, records.size());
    MILLRACE_CHECK(apply_slice({records.data() + begin, records.data() + end}));
  }
  views_.settle(store_.partition());
  if (!tapped_.records.empty()) hand_on();
  return {};
}

void Applier::hand_on() {
  tapped_.partition = store_.partition();
  tapped_.end = store_.applied().next_offset;
  tap_->push(std::exchange(tapped_, {}));
}

Status Applier::apply_slice(std::span<const ingest::StoredRecord> records) {
  decoded_.clear();
  decoded_.reserve(records.size());  // expected_ points into it
  expected_.clear();
  for (const auto& record : records) decode(record.bytes);
  MILLRACE_CHECK(store_.prefetch(expected_));
  for (std::size_t i = 0; i < records.size(); ++i) apply_one(records[i], decoded_[i]);
  return {};
}

void Applier::decode(std::string_view bytes) {
  auto& decoded = decoded_.emplace_back(Decoded{view_log_record(bytes), {}, {}});
  if (!decoded.record) return;
  if (const auto* demand = std::get_if<EraseUser>(&*decoded.record)) {
    expected_.push_back({demand->user.value, {}});
  } else if (const auto* impression = std::get_if<Impression>(&*decoded.record)) {
    expected_.push_back({impression->user.value, {}});
  }
  if (const auto* demand = std::get_if<ExpireTracked>(&*decoded.record)) {
    expected_.push_back({demand->user.value, {}});
  }
  const auto* interaction = std::get_if<InteractionView>(&*decoded.record);
  if (interaction == nullptr) return;
  decoded.identity = state::identity_of(interaction->user, interaction->source, interaction->id);
  store_.duplicates().expect(decoded.identity);
  decoded.item = store_.expect_item(interaction->item);
  expected_.push_back({interaction->user, decoded.item});
}

void Applier::apply_one(const ingest::StoredRecord& record, const Decoded& ahead) {
  const auto& decoded = ahead.record;
  auto& applied = store_.applied();
  if (record.offset < applied.next_offset) {
    ++figures_.duplicates_by_offset;
    return;
  }
  applied.log_time = std::max(applied.log_time, record.append_time);
  if (!decoded) {
    bury(record, decoded.error(), {});
  } else if (const auto* interaction = std::get_if<InteractionView>(&*decoded)) {
    apply_interaction(record, *interaction, ahead);
  } else if (const auto* ruleset = std::get_if<Ruleset>(&*decoded)) {
    apply_ruleset(*ruleset);
  } else if (const auto* impression = std::get_if<Impression>(&*decoded)) {
    apply_impression(*impression, record.offset);
  } else if (const auto* demand = std::get_if<EraseUser>(&*decoded)) {
    erase(*demand);
  } else {
    ++figures_.controls;
    store_.expire_tracked(std::get<ExpireTracked>(*decoded).user.value, record.offset,
                          applied.log_time, ruleset_.tracked_retention);
  }
  applied.next_offset = record.offset + 1;
  applied.last_record_hash = record_hash(record.bytes);
}

bool Applier::knows_type(std::uint32_t number) const {
  const auto& types = ruleset_.types;
  const auto at =
      std::lower_bound(types.begin(), types.end(), number,
                       [](const auto& type, std::uint32_t n) { return type.number < n; });
  return at != types.end() && at->number == number;
}

void Applier::apply_interaction(const ingest::StoredRecord& record,
                                const InteractionView& interaction, const Decoded& decoded) {
  const auto& identity = decoded.identity;
  auto& duplicates = store_.duplicates();
  const auto log_time = store_.applied().log_time;
  if (duplicates.find(identity, log_time)) {
    ++figures_.duplicates_by_id;
    return;
  }
  const bool known = knows_type(interaction.type_number) &&
                     (interaction.undo_type == 0 || knows_type(interaction.undo_type));
  // A copy is folded as what it is a copy of was.
  auto event = interaction;
  if (event.source == kMergedTrackedSource) event.source = state::kTrackedSource;
  copied_ = is_merged(interaction.source);
  const auto verdict =
      known
          ? fold(record, event, decoded.item ? *decoded.item : store_.number_of(interaction.item))
          : bury(record, Error{Code::kInvalid, "the ruleset has no such interaction type", "type"},
                 interaction.user);
  duplicates.add(identity, {record.offset, log_time, verdict});
}

state::Verdict Applier::fold(const ingest::StoredRecord& record, const InteractionView& interaction,
                             state::ItemNumber item) {
  const auto log_time = store_.applied().log_time;

  // The rule is tried on a copy: a refused record must leave no trace.
  const auto* known = store_.person(interaction.user);
  state::ItemRow before;
  if (known != nullptr) before = known->row(item);
  before.item = item;
  state::ItemRow after = before;
  const auto effective = rule_for(interaction.type_number)(interaction, after);
  if (interaction.undo_type != 0 && effective && after == before) {
    const auto verdict = fold(record, opposite_of(interaction), item);
    return verdict == state::Verdict::kApplied ? state::Verdict::kUndone : verdict;
  }
  if (!effective) return bury(record, effective.error(), interaction.user);

  const bool fresh = known == nullptr;
  auto& person = store_.change_person(interaction.user);
  if (fresh) person.born = record.offset;
  state::add_count(after.counts, interaction.type_number, 1);
  after.last_time = interaction.time;
  if (*effective != 0 && !add_trend(after, ruleset_, *effective, interaction.time, log_time)) {
    ++figures_.late;
  }
  const bool entered = after.order == 0 && enters_sequence(interaction, *effective);
  if (entered) after.order = person.next_order++;
  person.put(after);
  ++person.events;
  state::add_count(person.counts, interaction.type_number, 1);

  auto& stats = store_.change_item(item);
  state::contribute(stats, before, -1);
  state::contribute(stats, after, 1);
  const bool bought = interaction.type_number == static_cast<std::uint32_t>(BuiltIn::kPurchase);
  if (bought && !copied_) ++stats.sold;  // what a merge copies was sold once

  const bool tracked =
      interaction.source == state::kTrackedSource && ruleset_.rule_version >= kTracksSince;
  const auto keep = tracked ? keep_ms(ruleset_, interaction.type_number) : 0;
  if (tracked) store_.track(person, record.offset, log_time, interaction, item, keep);
  // A history forgets by another rule: what has a retention of its own is kept by that alone.
  if (keep == 0) store_.append_history(person, record.offset, log_time, interaction, item);
  if (ruleset_.history_retention_ms > 0) {
    store_.drop_history_before(person, log_time - ruleset_.history_retention_ms);
  }
  ++figures_.applied;
  views_.seen(store_.partition(), interaction.user, log_time);

  const auto index = index_of(item);
  if (*effective > 0) {
    attribute(person, interaction);
    views_.acted(store_.partition(), interaction, record.offset, index, log_time);
    if (!person.trials.empty()) {
      credit(store_, person, interaction, is_click(interaction.type_number));
    }
  }
  if (tests_ != nullptr && !copied_ && tests_->wants(interaction.user)) {
    tests_->push({{Topic::kInteractions, store_.partition()},
                  record.offset,
                  std::string(interaction.user),
                  index,
                  !dealt_with(before) && counts_as_positive(after),
                  person.events});
  }
  if (tapping_ && !copied_) tapped_.add(record.offset, index, record.bytes);
  if (is_rating(interaction.type_number)) views_.rated(interaction, record.offset, index);
  if (is_visit(interaction.type_number, interaction.value_centi)) {
    views_.visited({interaction.user, interaction.session, interaction.time, index});
  }
  if (entered) {
    window_.clear();
    for (const auto number : person.sequence) window_.push_back(index_of(number));
    views_.entered(store_.partition(), interaction.user, index, window_);
    person.sequence.push_back(item);
    if (person.sequence.size() > ruleset_.sequence_window)
      person.sequence.erase(person.sequence.begin());
  }
  if (profile_rests_on(before, after)) {
    const auto user = interaction.user;
    store_.set_profile(user, views_.changed(store_.partition(), store_.profile(user), person,
                                            before, after, index));
  }
  return state::Verdict::kApplied;
}

void Applier::apply_impression(const Impression& impression, Offset offset) {
  ++figures_.controls;
  const auto id = record_hash(impression.recommendation_id);
  const auto same = [id](const state::Served& one) { return one.recommendation == id; };
  const auto* known = store_.person(impression.user.value);
  if (known != nullptr && std::any_of(known->served.begin(), known->served.end(), same)) return;
  auto& person = store_.change_person(impression.user.value);
  if (known == nullptr) person.born = offset;
  auto& served = person.served;
  const auto hour = static_cast<std::int32_t>(store_.applied().log_time / kHourMs);
  if (served.size() == state::kServedKept) served.erase(served.begin());
  served.push_back({id, hour, impression.algorithm});
  if (!impression.experiment.empty()) expose(store_, person, impression);
  store_.attribution().count(hour, impression.algorithm, &state::AttributionCounts::served);
  count_now(&state::AttributionCounts::served);
  const auto log_time = store_.applied().log_time;
  views_.seen(store_.partition(), impression.user.value, log_time);
  views_.shown(store_.partition(), impression, log_time);
}

void Applier::count_now(std::uint64_t state::AttributionCounts::*step) {
  const auto minute = static_cast<std::int32_t>(store_.applied().log_time / kMinuteMs);
  store_.recent_attribution().count(minute, {}, step);
}

// To the answer that it names, if that is one of the person's last. Each answer counts once.
void Applier::attribute(state::Person& person, const InteractionView& interaction) {
  if (interaction.recommendation_id.empty() || person.served.empty()) return;
  const auto id = record_hash(interaction.recommendation_id);
  const bool clicked = is_click(interaction.type_number);
  for (auto& one : person.served) {
    if (one.recommendation != id || std::exchange(clicked ? one.clicked : one.acted, true)) {
      continue;
    }
    const auto step =
        clicked ? &state::AttributionCounts::clicked : &state::AttributionCounts::acted;
    store_.attribution().count(one.hour, one.algorithm, step);
    count_now(step);
  }
}

// The store's answer never changes, and a window of fifty items is asked for with every event.
state::ItemIndex Applier::index_of(state::ItemNumber item) {
  if (item >= indexes_.size()) indexes_.resize(item + std::size_t{1}, state::kNoItem);
  auto& index = indexes_[item];
  if (index == state::kNoItem) index = store_.index_of(item);
  return index;
}

void Applier::apply_ruleset(const Ruleset& ruleset) {
  ++figures_.controls;
  ruleset_ = ruleset;
  store_.set_ruleset(ruleset);
}

void Applier::erase(const EraseUser& demand) {
  auto& applied = store_.applied();
  if (demand.catalog_offset <= applied.carried_catalog_offset) {
    ++figures_.duplicates_by_offset;
    return;
  }
  ++figures_.controls;
  const auto* person = store_.person(demand.user.value);
  if (demand.events && *demand.events != (person == nullptr ? 0 : person->events)) return;
  applied.carried_catalog_offset = demand.catalog_offset;
  if (person != nullptr) {
    std::vector<std::pair<std::uint32_t, state::ItemIndex>> ordered;
    person->for_each_row([&](const state::ItemRow& row) {
      state::contribute(store_.change_item(row.item), row, -1);
      if (row.has(state::kRated)) {
        views_.forgotten(demand.user.value, store_.index_of(row.item));
      }
      if (row.order != 0) ordered.emplace_back(row.order, store_.index_of(row.item));
    });
    std::sort(ordered.begin(), ordered.end());
    std::vector<state::ItemIndex> sequence;
    sequence.reserve(ordered.size());
    for (const auto& [order, item] : ordered) sequence.push_back(item);
    views_.erased(store_.partition(), demand.user.value, sequence, ruleset_.sequence_window);
    for (const auto& trial : person->trials) store_.trials().replace(&trial, nullptr);
  }
  if (tests_ != nullptr) tests_->forget(demand.user.value);
  store_.erase_person(demand.user.value);
}

state::Verdict Applier::bury(const ingest::StoredRecord& record, const Error& error,
                             std::string_view user) {
  ++figures_.dead_letters;
  auto reason = error.field.empty() ? error.detail : error.field + ": " + error.detail;
  store_.add_dead_letter({record.offset, store_.applied().log_time, std::move(reason), record.bytes,
                          std::string(user)});
  return state::Verdict::kDeadLetter;
}

}  // namespace millrace::processors
