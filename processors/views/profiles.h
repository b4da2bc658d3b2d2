#pragma once
#include <functional>
#include <memory>

#include "state/catalog_view.h"
#include "state/pages.h"
#include "state/profile.h"

namespace millrace::processors {

using IndexOf = std::function<state::ItemIndex(state::ItemNumber)>;

inline constexpr std::int32_t kLikedFromCenti = 300;  // three stars

// Seed 001: rated three stars or better.
bool counts_as_liked(const state::ItemRow& row);
// Seed 000: liked, saved, or viewed as a product.
bool counts_as_interest(const state::ItemRow& row);

// What all of a person's rows say, joined with the catalog. Items that the catalog does not have
// count as `unresolved` and no more.
state::Profile build_profile(const state::Person& person, const IndexOf& index_of,
                             const state::CatalogView& catalog);

// `old` after one row of `index` went from `before` to `after` (a default row: was not there; is
// gone): the same as a full build. `old` must be up to date with `catalog`; `events` is
// Person::events after the change.
state::Profile update_profile(state::Profile old, const state::ItemRow& before,
                              const state::ItemRow& after, state::ItemIndex index,
                              const state::CatalogView& catalog, std::uint64_t events);

// True when a full build would say nothing else (but for catalog_offset).
bool is_fresh(const state::Profile& profile, const state::Person& person,
              const state::CatalogView& catalog);
// The same for the catalog alone: may update_profile() go on from it?
bool joined_with(const state::Profile& profile, const state::CatalogView& catalog);

// `kept` where it is fresh, else a new one.
std::shared_ptr<const state::Profile> fresh_profile(
    const state::Person& person, const std::shared_ptr<const state::Profile>& kept,
    const IndexOf& index_of, const state::CatalogView& catalog);

}  // namespace millrace::processors
