#include "processors/views/profiles.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

using state::NameWeight;

bool by_name(const NameWeight& a, const NameWeight& b) { return a.name < b.name; }

// Sorts and sums up rows of one name.
void sum_up(std::vector<NameWeight>& rows) {
  std::sort(rows.begin(), rows.end(), by_name);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept > 0 && rows[kept - 1].name == rows[i].name) {
      rows[kept - 1].liked += rows[i].liked;
      rows[kept - 1].interest += rows[i].interest;
    } else {
      rows[kept++] = rows[i];
    }
  }
  rows.resize(kept);
}

void add(std::vector<NameWeight>& rows, const NameWeight& change) {
  const auto at = std::lower_bound(rows.begin(), rows.end(), change, by_name);
  if (at == rows.end() || at->name != change.name) {
    rows.insert(at, change);
    return;
  }
  at->liked += change.liked;
  at->interest += change.interest;
  if (at->liked == 0 && at->interest == 0) rows.erase(at);
}

}  // namespace

bool counts_as_liked(const state::ItemRow& row) {
  return row.has(state::kRated) && row.rating_centi >= kLikedFromCenti;
}

bool counts_as_interest(const state::ItemRow& row) {
  constexpr auto kViewed = static_cast<std::uint32_t>(BuiltIn::kProductView);
  return row.has(state::kLiked) || row.has(state::kSaved) ||
         state::count_of(row.counts, kViewed) > 0;
}

state::Profile build_profile(const state::Person& person, const IndexOf& index_of,
                             const state::CatalogView& catalog) {
  state::Profile out;
  out.catalog_offset = catalog.offset();
  out.events = person.events;
  person.for_each_row([&](const state::ItemRow& row) {
    const std::int32_t liked = counts_as_liked(row) ? 1 : 0;
    const std::int32_t interest = counts_as_interest(row) ? 1 : 0;
    if (liked == 0 && interest == 0) return;
    const state::CatalogItem* item = catalog.find(index_of(row.item));
    if (item == nullptr) {
      ++out.unresolved;
      return;
    }
    out.liked += static_cast<std::uint32_t>(liked);
    for (const auto category : item->categories) {
      out.categories.push_back({category, liked, interest});
    }
    if (interest == 0) return;
    for (const auto tag : item->tags) out.tags.push_back({tag, 0, interest});
  });
  sum_up(out.categories);
  sum_up(out.tags);
  return out;
}

state::Profile update_profile(state::Profile old, const state::ItemRow& before,
                              const state::ItemRow& after, state::ItemIndex index,
                              const state::CatalogView& catalog, std::uint64_t events) {
  old.catalog_offset = catalog.offset();
  old.events = events;
  const bool liked_before = counts_as_liked(before);
  const bool interest_before = counts_as_interest(before);
  const bool liked_after = counts_as_liked(after);
  const bool interest_after = counts_as_interest(after);
  if (liked_before == liked_after && interest_before == interest_after) return old;
  const state::CatalogItem* item = catalog.find(index);
  if (item == nullptr) {
    old.unresolved -= liked_before || interest_before ? 1u : 0u;
    old.unresolved += liked_after || interest_after ? 1u : 0u;
    return old;
  }
  const std::int32_t liked = int{liked_after} - int{liked_before};
  const std::int32_t interest = int{interest_after} - int{interest_before};
  old.liked += static_cast<std::uint32_t>(liked);  // wraps back for -1
  for (const auto category : item->categories) add(old.categories, {category, liked, interest});
  if (interest == 0) return old;
  for (const auto tag : item->tags) add(old.tags, {tag, 0, interest});
  return old;
}

bool joined_with(const state::Profile& profile, const state::CatalogView& catalog) {
  return profile.catalog_offset >= catalog.features_changed() &&
         (profile.unresolved == 0 || profile.catalog_offset >= catalog.added());
}

bool is_fresh(const state::Profile& profile, const state::Person& person,
              const state::CatalogView& catalog) {
  return profile.events == person.events && joined_with(profile, catalog);
}

std::shared_ptr<const state::Profile> fresh_profile(
    const state::Person& person, const std::shared_ptr<const state::Profile>& kept,
    const IndexOf& index_of, const state::CatalogView& catalog) {
  if (kept && is_fresh(*kept, person, catalog)) return kept;
  return std::make_shared<const state::Profile>(build_profile(person, index_of, catalog));
}

}  // namespace millrace::processors
