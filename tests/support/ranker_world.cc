#include "tests/support/ranker_world.h"

#include <cmath>
#include <utility>

namespace millrace {

using state::ItemRow;
using state::Person;

RankerWorld::RankerWorld() : builder_(items, names) {
  view_ = builder_.build(0);
  lists_ = std::make_unique<processors::RankedListsBuilder>(items);
}

Item& RankerWorld::put(const std::string& id, std::vector<std::string> categories,
                       std::vector<std::string> tags) {
  item_ = Item{};
  item_.id = ItemId(id);
  item_.kind = id.substr(0, id.find(':'));
  item_.title = "Title of " + id;
  item_.categories = std::move(categories);
  item_.tags = std::move(tags);
  item_.published = now + offset;
  put(item_);
  return item_;
}

void RankerWorld::put(const Item& item) {
  const auto index = builder_.put(item, now, offset++);
  if (quiet_) return;
  view_ = build();
  refresh(index);
}

void RankerWorld::erase(const std::string& id) {
  const auto item = index(id);
  builder_.erase(item, offset++);
  view_ = build();
  refresh(item);
}

void RankerWorld::refresh(state::ItemIndex item) {
  if (quiet_) return;
  lists_->update({&item, 1}, *view_, [this](auto i) { return counts(i); });
}

void RankerWorld::rebuild() {
  view_ = build();
  lists_->rebuild(*view_, [this](auto i) { return counts(i); });
}

RankerWorld::Partition& RankerWorld::partition_of_user(const std::string& user) {
  return partitions_[std::hash<std::string>{}(user) % partitions_.size()];
}

void RankerWorld::enter_sequence(Partition& partition, Person& person, ItemRow& row) {
  if (row.order != 0) return;
  row.order = person.next_order++;
  std::vector<state::ItemIndex> window;
  for (const auto number : person.sequence) window.push_back(partition.indexes[number]);
  cooccurrence.add(partition.indexes[row.item], window);
  person.sequence.push_back(row.item);
  if (person.sequence.size() > 50) person.sequence.erase(person.sequence.begin());
}

template <class F>
void RankerWorld::change(const std::string& user, const std::string& item, BuiltIn type, F&& edit) {
  Partition& partition = partition_of_user(user);
  const auto fresh = static_cast<state::ItemNumber>(partition.indexes.size());
  const auto [place, is_new] = partition.numbers.emplace(item, fresh);
  if (is_new) {
    partition.indexes.push_back(items.intern(item));
    partition.stats.emplace_back();
  }
  const state::ItemNumber number = place->second;
  auto& kept = partition.people[user];
  auto person = kept ? std::make_shared<Person>(*kept) : std::make_shared<Person>();
  ItemRow row = person->row(number);
  const ItemRow before = row;
  edit(row);
  const auto type_number = static_cast<std::uint32_t>(type);
  state::add_count(row.counts, type_number, 1);
  const std::int32_t weight = table_.find(type_number)->weight;
  const std::array<std::int64_t, 2> half_lives{options.short_half_life_ms,
                                               options.long_half_life_ms};
  for (std::size_t h = 0; h < state::kHalfLives; ++h) {
    row.trend[h].advance_to(state::trend_epoch(now, half_lives[h]));
    row.trend[h].newer += state::trend_increment(weight, now, half_lives[h]);
  }
  row.last_time = now;
  ++person->events;
  state::add_count(person->counts, type_number, 1);
  if (weight > 0) {
    sessions.visit({user, {}, now, partition.indexes[number]});
    const bool first = row.order == 0;
    enter_sequence(partition, *person, row);
    const auto number_of_partition = static_cast<std::uint16_t>(&partition - partitions_.data());
    if (first) matrix.add(number_of_partition, user, partition.indexes[row.item]);
  }
  person->put(row);
  state::contribute(partition.stats[number], before, -1);
  state::contribute(partition.stats[number], row, 1);
  if (type == BuiltIn::kPurchase) ++partition.stats[number].sold;
  partition.cells.store(partition.indexes[number], partition.stats[number]);
  kept = std::move(person);
  refresh(partition.indexes[number]);
}

void RankerWorld::rate(const std::string& user, const std::string& item, double stars) {
  change(user, item, BuiltIn::kRate, [&](ItemRow& row) {
    row.flags |= state::kRated | state::kWatched;
    row.rating_centi = static_cast<std::int32_t>(std::lround(stars * 100));
  });
}
void RankerWorld::watch(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kWatch, [](ItemRow& row) { row.flags |= state::kWatched; });
}
void RankerWorld::like(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kLike, [](ItemRow& row) { row.flags |= state::kLiked; });
}
void RankerWorld::unlike(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kUnlike,
         [](ItemRow& row) { row.flags &= static_cast<std::uint8_t>(~state::kLiked); });
}
void RankerWorld::save(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kSave, [](ItemRow& row) { row.flags |= state::kSaved; });
}
void RankerWorld::view(const std::string& user, const std::string& item, BuiltIn type, int times) {
  for (int i = 0; i < times; ++i) change(user, item, type, [](ItemRow&) {});
}
void RankerWorld::share(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kShare, [](ItemRow&) {});
}

void RankerWorld::dislike(const std::string& user, const std::string& item) {
  change(user, item, BuiltIn::kDislike, [](ItemRow& row) {
    row.flags |= state::kDisliked;
    row.flags &= static_cast<std::uint8_t>(~state::kLiked);
  });
}

void RankerWorld::set_rules(const std::vector<RankingRule>& rules) {
  state::RankingRulesView next;
  for (const auto& rule : rules) next.emplace(rule.id, rule);
  rules_ = std::make_shared<const state::RankingRulesView>(std::move(next));
  view_ = build();
}

std::shared_ptr<const state::CatalogView> RankerWorld::build() {
  return builder_.build(offset, std::make_shared<const state::ExperimentsView>(), rules_);
}

processors::KnownPerson RankerWorld::known(const std::string& user) {
  Partition& partition = partition_of_user(user);
  const auto found = partition.people.find(user);
  if (found == partition.people.end()) return {};
  const auto index_of = [&partition](state::ItemNumber number) {
    return partition.indexes[number];
  };
  return {{found->second, partition.profiles[user]}, index_of};
}

void RankerWorld::keep_profile(const std::string& user) {
  const auto who = known(user);
  partition_of_user(user).profiles[user] =
      processors::fresh_profile(*who.view.person, who.view.profile, who.index_of, *view_);
}

processors::ReadState RankerWorld::state(const std::string& user, const std::string& session) {
  processors::ReadState out;
  out.catalog = view_;
  out.lists = lists_->snapshot();
  for (const Partition& partition : partitions_) out.cells.push_back(&partition.cells);
  if (!user.empty()) out.user = known(user);
  if (!session.empty()) out.session = known(session);
  out.cooccurrence = &cooccurrence;
  out.linear = linear;
  out.matrix = &matrix;
  out.sessions = &sessions;
  out.deep_learning = deep_learning;
  if (!user.empty()) out.shown = shown;
  out.items = &items;
  out.names = &names;
  out.options = options;
  return out;
}

state::ItemIndex RankerWorld::index(const std::string& id) const {
  return items.find(id).value_or(state::kNoItem);
}

std::string RankerWorld::id(state::ItemIndex item) const { return std::string(items.name(item)); }

std::vector<std::string> RankerWorld::ids(const processors::Ranked& ranked) const {
  std::vector<std::string> out;
  for (const auto& scored : ranked.items) out.push_back(id(scored.item));
  return out;
}

state::ItemCounts RankerWorld::counts(state::ItemIndex item) const {
  state::ItemCounts out;
  for (const Partition& partition : partitions_) partition.cells.add_to(out, item);
  return out;
}

}  // namespace millrace
