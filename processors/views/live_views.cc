#include "processors/views/live_views.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "processors/prequential/blend_record.h"
#include "processors/views/positives.h"
#include "processors/views/profiles.h"
#include "schemas/account.h"
#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::processors {

LiveViews::LiveViews(const state::CatalogStore& catalog,
                     std::vector<const state::PartitionStore*> stores,
                     const state::NameTable& items, const state::CatalogNames& names,
                     const RankingOptions& options, const Budgets& budgets, Metrics& metrics,
                     bool learned_blend)
    : catalog_(catalog),
      stores_(std::move(stores)),
      items_(items),
      names_(names),
      options_(options),
      learned_blend_(learned_blend),
      cooccurrence_(budgets.cooccurrence),
      unsettled_(stores_.size()),
      ratings_(budgets.ratings),
      matrix_(stores_.size(), budgets.matrix),
      sessions_(budgets.sessions),
      lists_(items),
      recent_people_(stores_.size()),
      recent_popularity_(stores_.size()),
      outcomes_(stores_.size(), items, metrics),
      fatigue_(stores_.size(), budgets.fatigue),
      filter_scans_(metrics.counter("filter_scans_total",
                                    "Times that a filter made a ranker look at more than 10,000 "
                                    "items for its answer.")) {
  auto& refused = metrics.gauge("cooccurrence_pairs_refused",
                                "Halves of pairs left out because the memory budget is used up.");
  auto& unlisted = metrics.gauge("ratings_index_refused",
                                 "Ratings not listed because the memory budget is used up.");
  auto& left_out = metrics.gauge(
      "interaction_matrix_cells_refused",
      "Interactions left out of the user x product matrix because the memory budget is used up.");
  auto& sessions = metrics.gauge("sessions", "Sessions that the ranker `session` looks through.");
  auto& dropped = metrics.gauge(
      "sessions_dropped", "Oldest sessions that have gone because the memory budget is used up.");
  auto& rotated = metrics.gauge("rotation_people_dropped",
                                "People whose impressions rotation has forgotten because the "
                                "memory budget is used up.");
  metrics.on_scrape([this, &rotated, &refused, &unlisted, &left_out, &sessions, &dropped] {
    rotated.set(static_cast<double>(fatigue_.dropped()));
    sessions.set(static_cast<double>(sessions_.size()));
    dropped.set(static_cast<double>(sessions_.dropped()));
    left_out.set(static_cast<double>(matrix_.refused()));
    refused.set(static_cast<double>(cooccurrence_.refused()));
    unlisted.set(static_cast<double>(ratings_.refused()));
  });
}

Status LiveViews::rebuild() {
  cooccurrence_.clear();
  ratings_.clear();
  sessions_.clear();
  Sessions::Past past(sessions_);
  for (const auto* store : stores_) {
    MILLRACE_CHECK(rebuild_sequences(*store));
    MILLRACE_CHECK(rebuild_from_histories(*store, past));
  }
  past.replay();
  lists_.rebuild(*catalog_.view(), [this](state::ItemIndex item) { return counts(item); });
  return {};
}

Status LiveViews::rebuild_sequences(const state::PartitionStore& store) {
  const auto window = store.ruleset().sequence_window;
  std::vector<state::ItemIndex> sequence, before;
  const auto at = [&](std::size_t i) { return sequence.begin() + static_cast<std::ptrdiff_t>(i); };
  MILLRACE_CHECK(store.for_each_person([&](std::string_view user, const state::Person& person) {
    sequence.clear();
    for (const auto item : whole_sequence(person)) sequence.push_back(store.index_of(item));
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      before.assign(at(i - std::min<std::size_t>(i, window)), at(i));
      entered(store.partition(), user, sequence[i], before);
    }
    return true;
  }));
  settle(store.partition());
  return {};
}

Status LiveViews::rebuild_from_histories(const state::PartitionStore& store,
                                         Sessions::Past& sessions) {
  Status status;
  MILLRACE_CHECK(store.for_each_person([&](std::string_view user, const state::Person& person) {
    if (person.events == 0) return true;
    auto events = store.history(std::string(user), {.limit = SIZE_MAX});
    if (!events) {
      status = tl::unexpected<Error>(events.error());
      return false;
    }
    std::reverse(events->begin(), events->end());  // oldest first
    for (const auto& entry : *events) {
      if (!is_visit(entry.type, entry.event.value_centi)) continue;
      sessions.visit(
          {user, entry.event.session, entry.event.time.value_or(entry.log_time), entry.item});
    }
    rebuild_ratings(user, person, *events, store);
    return true;
  }));
  return status;
}

// From a person's history; where that has been trimmed, what their rows still say.
void LiveViews::rebuild_ratings(std::string_view user, const state::Person& person,
                                const std::vector<state::HistoryItem>& history,
                                const state::PartitionStore& store) {
  const auto number = user_number(user);
  std::unordered_map<state::ItemIndex, state::ItemRow> rows;
  if (!number) return;
  person.for_each_row([&](const state::ItemRow& row) {
    if (row.has(state::kRated)) rows.emplace(store.index_of(row.item), row);
  });
  for (const auto& entry : history) {
    if (!is_rating(entry.type) || !rows.contains(entry.item)) continue;
    InteractionView event;
    event.type_number = entry.type;
    event.user = user;
    event.time = entry.event.time.value_or(entry.log_time);
    event.value_centi = entry.event.value_centi;
    event.notes = entry.event.notes;
    rated(event, entry.offset, entry.item);
  }
  const auto me = static_cast<std::uint32_t>(*number);
  for (const auto& [item, row] : rows) {
    if (ratings_.find(item, me)) continue;
    ratings_.put(item, {me, row.rating_centi, false, row.last_time, row.last_time, 0});
  }
}

void LiveViews::rated(const InteractionView& event, Offset offset, state::ItemIndex item) {
  const auto number = user_number(event.user);
  if (!number) return;
  const auto user = static_cast<std::uint32_t>(*number);
  if (event.type_number == static_cast<std::uint32_t>(BuiltIn::kUnrate)) {
    ratings_.erase(item, user);
  } else {
    ratings_.put(item, {user, event.value_centi.value_or(0), !event.notes.empty(), event.time,
                        event.time, offset});
  }
}

void LiveViews::forgotten(std::string_view user, state::ItemIndex item) {
  const auto number = user_number(user);
  if (number) ratings_.erase(item, static_cast<std::uint32_t>(*number));
}

void LiveViews::entered(std::uint16_t partition, std::string_view user, state::ItemIndex item,
                        const std::vector<state::ItemIndex>& window) {
  if (items_.name(item).starts_with(kProductPrefix)) matrix_.add(partition, user, item);
  auto& batch = unsettled_[partition];
  batch.add(item, window);
  if (batch.large()) batch.settle(cooccurrence_);
}

void LiveViews::seen(std::uint16_t partition, std::string_view user, UnixMillis log_time) {
  recent_people_.seen(partition, user, log_time);
}

void LiveViews::shown(std::uint16_t partition, const Impression& answer, UnixMillis log_time) {
  outcomes_.shown(partition, answer, log_time);
  std::vector<state::ItemIndex> items;
  items.reserve(answer.items.size());
  for (const auto& item : answer.items) {
    items.push_back(items_.find(item.value).value_or(state::kNoItem));
  }
  fatigue_.shown(partition, answer.user.value, items, log_time);
}

void LiveViews::acted(std::uint16_t partition, const InteractionView& event, Offset offset,
                      state::ItemIndex item, UnixMillis log_time) {
  outcomes_.acted(partition, event.user, item, log_time);
  fatigue_.acted(partition, event.user, item);
  if (is_rating(event.type_number) && event.value_centi.value_or(0) < kPositiveFromCenti) return;
  recent_popularity_.took(partition, offset, event.user, item);
}

void LiveViews::replay(std::uint16_t partition, const ingest::StoredRecord& record) {
  const auto view = view_log_record(record.bytes);
  if (!view) return;
  if (const auto* answer = std::get_if<Impression>(&*view)) {
    seen(partition, answer->user.value, record.append_time);
    shown(partition, *answer, record.append_time);
  } else if (const auto* event = std::get_if<InteractionView>(&*view)) {
    seen(partition, event->user, record.append_time);
    const auto item = event->weight > 0 ? items_.find(event->item) : std::nullopt;
    if (item) acted(partition, *event, record.offset, *item, record.append_time);
  } else if (const auto* erase = std::get_if<EraseUser>(&*view)) {
    recent_people_.forget(partition, erase->user.value);
    recent_popularity_.forget(partition, erase->user.value);
    outcomes_.forget(partition, erase->user.value);
    fatigue_.forget(partition, erase->user.value);
  }
}
void LiveViews::visited(const Visit& visit) { sessions_.visit(visit); }

void LiveViews::settle(std::uint16_t partition) { unsettled_[partition].settle(cooccurrence_); }

void LiveViews::erased(std::uint16_t partition, std::string_view user,
                       const std::vector<state::ItemIndex>& sequence, std::uint32_t window) {
  matrix_.erase(partition, user);
  recent_people_.forget(partition, user);
  recent_popularity_.forget(partition, user);
  outcomes_.forget(partition, user);
  fatigue_.forget(partition, user);
  sessions_.erase(user);
  settle(partition);  // what is taken back must have been added
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const auto from = i - std::min<std::size_t>(i, window);
    cooccurrence_.remove(sequence[i], std::span(sequence).subspan(from, i - from));
  }
}

std::shared_ptr<const state::Profile> LiveViews::changed(
    std::uint16_t partition, const state::Profile* profile, const state::Person& person,
    const state::ItemRow& before, const state::ItemRow& after, state::ItemIndex item) {
  const auto catalog = catalog_.view();
  if (profile != nullptr && joined_with(*profile, *catalog)) {
    return std::make_shared<const state::Profile>(
        update_profile(*profile, before, after, item, *catalog, person.events));
  }
  const auto* store = stores_[partition];
  return std::make_shared<const state::Profile>(build_profile(
      person, [store](state::ItemNumber number) { return store->index_of(number); }, *catalog));
}

void LiveViews::update_lists(const std::vector<state::ItemIndex>& touched) {
  lists_.update(touched, *catalog_.view(), [this](state::ItemIndex item) { return counts(item); });
}

Result<KnownPerson> LiveViews::known(const std::string& user,
                                     const state::CatalogView& catalog) const {
  if (user.empty()) return KnownPerson{};
  const auto* store = stores_[partition_of(user, static_cast<std::uint16_t>(stores_.size()))];
  MILLRACE_TRY(auto view, store->read(user));
  if (view.person && view.person->events == 0) return KnownPerson{};  // has only been shown things
  KnownPerson known{std::move(view),
                    [store](state::ItemNumber number) { return store->index_of(number); }};
  auto& profile = known.view.profile;
  if (known.view.person && !(profile && joined_with(*profile, catalog))) {
    const auto made = std::make_shared<const state::Profile>(
        build_profile(*known.view.person, known.index_of, catalog));
    store->offer_profile(user, known.view, made);
    profile = made;
  }
  return known;
}

std::vector<std::uint32_t> LiveViews::first_genres(const std::string& user) const {
  std::vector<std::uint32_t> out;
  const auto notes = catalog_.person_notes();
  const auto* note = notes->find(user);
  if (note == nullptr) return out;
  for (const auto& genre : (*note)->genres) {
    if (const auto name = names_.categories.find(genre)) out.push_back(*name);
  }
  return out;
}

void LiveViews::use(std::shared_ptr<const LinearModel> model) {
  const std::lock_guard lock(models_mutex_);
  linear_ = std::move(model);
}

void LiveViews::use(std::shared_ptr<const SequenceModel> model) {
  const std::lock_guard lock(models_mutex_);
  deep_learning_ = std::move(model);
}

// The catalog's, made ready once for each version.
BlendWeights LiveViews::blend() const {
  auto kept = catalog_.blend();
  const std::lock_guard lock(models_mutex_);
  if (kept != blend_from_) {
    blend_ = weights_of(kept->blend);
    blend_from_ = std::move(kept);
  }
  return blend_;
}

Result<ReadState> LiveViews::read(const std::string& user, const std::string& session) const {
  ReadState state;
  state.catalog = catalog_.view();
  state.lists = lists_.snapshot();
  for (const auto* store : stores_) state.cells.push_back(&store->cells());
  MILLRACE_TRY(state.user, known(user, *state.catalog));
  if (!state.user.view.person) {
    state.first_genres = first_genres(user);
  } else {
    state.shown = fatigue_.of(partition_of(user, static_cast<std::uint16_t>(stores_.size())), user);
  }
  MILLRACE_TRY(state.session, known(session, *state.catalog));
  state.cooccurrence = &cooccurrence_;
  state.matrix = &matrix_;
  state.sessions = &sessions_;
  state.recent = &recent_popularity_;
  {
    const std::lock_guard lock(models_mutex_);
    state.linear = linear_;
    state.deep_learning = deep_learning_;
  }
  state.filter_scans = &filter_scans_;
  state.items = &items_;
  state.names = &names_;
  state.options = options_;
  if (learned_blend_) state.blend = blend();
  return state;
}

state::ItemCounts LiveViews::counts(state::ItemIndex item) const {
  state::ItemCounts counts;
  for (const auto* store : stores_) store->cells().add_to(counts, item);
  return counts;
}

std::vector<MemoryPart> LiveViews::memory_parts() const {
  return {{"cooccurrence", cooccurrence_.memory_bytes()},
          {"ratings", ratings_.memory_bytes()},
          {"interaction_matrix", matrix_.memory_bytes()},
          {"sessions", sessions_.memory_bytes()},
          {"recent_popularity", recent_popularity_.memory_bytes()},
          {"fatigue", fatigue_.memory_bytes()},
          {"lists", lists_.memory_bytes() + lists_.snapshot()->memory_bytes()}};
}

}  // namespace millrace::processors
