#include "processors/rankers/genre_weighted.h"

#include <algorithm>
#include <utility>

#include "processors/rankers/disfavour.h"
#include "processors/rankers/listed.h"

namespace millrace::processors {
namespace genre_weighted {
namespace {

// The popular lists of `category` in each of the kinds, as one.
void add_lists(ListWalk& walk, const Dealings& dealings, std::uint32_t category,
               const Matcher& matcher) {
  if (dealings.kinds.empty()) {
    walk.add(matcher.list(Metric::kPopular, state::kAnyName, category));
  }
  for (const std::uint32_t kind : dealings.kinds) {
    walk.add(matcher.list(Metric::kPopular, kind, category));
  }
}

// Genres from the kept profile when it stands for exactly these liked films.
std::vector<Genre> known_genres(const Dealings& dealings, const KnownPerson& known,
                                const state::CatalogView& catalog) {
  const state::Profile* profile = known.view.profile.get();
  if (profile == nullptr || profile->liked != dealings.liked.size() ||
      !is_fresh(*profile, *known.view.person, catalog)) {
    return genres_of(dealings.liked, catalog);
  }
  std::vector<Genre> out;
  out.reserve(profile->categories.size());
  for (const state::NameWeight& row : profile->categories) {
    if (row.liked > 0) out.push_back({row.name, static_cast<std::uint32_t>(row.liked)});
  }
  return out;
}

// Genres count for what was disliked of them less; those that it outweighs are left out.
void weigh_less(std::vector<Genre>& genres, const Disfavour& disfavour) {
  if (disfavour.empty()) return;
  for (Genre& genre : genres) {
    genre.liked -= std::min(genre.liked, disfavour.of_category(genre.name));
  }
  std::erase_if(genres, [](const Genre& genre) { return genre.liked == 0; });
}

}  // namespace

Dealings filter_likes(const KnownPerson& known, const state::CatalogView& catalog,
                      std::uint32_t kind) {
  Dealings out;
  if (kind != state::kAnyName) out.kinds.push_back(kind);
  known.view.person->for_each_row([&](const state::ItemRow& row) {
    const bool rated = row.has(state::kRated);
    if (!rated && !row.has(state::kWatched)) return;
    const state::ItemIndex item = known.index_of(row.item);
    if (item == state::kNoItem) return;
    out.seen.insert(item);
    if (!rated) return;
    const std::uint32_t its_kind = catalog.kind_of(item);
    if (its_kind == state::kAnyName) return;  // not in the catalog
    if (kind != state::kAnyName && its_kind != kind) return;
    if (std::find(out.kinds.begin(), out.kinds.end(), its_kind) == out.kinds.end()) {
      out.kinds.push_back(its_kind);
    }
    if (counts_as_liked(row)) out.liked.push_back(item);
  });
  std::sort(out.kinds.begin(), out.kinds.end());
  return out;
}

std::vector<Genre> genres_of(std::span<const state::ItemIndex> liked,
                             const state::CatalogView& catalog) {
  std::vector<std::uint32_t> names;
  for (const state::ItemIndex film : liked) {
    const auto& categories = catalog.find(film)->categories;
    names.insert(names.end(), categories.begin(), categories.end());
  }
  std::sort(names.begin(), names.end());
  std::vector<Genre> out;
  for (const std::uint32_t name : names) {
    if (out.empty() || out.back().name != name) out.push_back({name, 0});
    ++out.back().liked;
  }
  return out;
}

double weight_of(const Genre& genre, std::size_t liked_films) {
  return static_cast<double>(genre.liked) / static_cast<double>(liked_films);
}

std::size_t quantity_of(const Genre& genre, std::size_t liked_films, std::size_t limit) {
  return (2 * limit * genre.liked + liked_films) / (2 * liked_films);
}

std::vector<RankedEntry> pick(const Genre& genre, std::size_t quantity, const Dealings& dealings,
                              const Matcher& matcher, const ReadState& state) {
  std::vector<RankedEntry> out;
  ListWalk walk(*state.items);
  add_lists(walk, dealings, genre.name, matcher);
  while (out.size() < quantity && !walk.done()) {
    const RankedEntry entry = walk.next();
    if (!dealings.seen.contains(entry.item) && matcher.allows(entry.item)) out.push_back(entry);
  }
  return out;
}

std::vector<RankedEntry> merge(const std::vector<std::vector<RankedEntry>>& picked) {
  std::vector<RankedEntry> out;
  NumberSet taken(64);
  for (const auto& films : picked) {
    for (const RankedEntry& film : films) {
      if (taken.insert(film.item)) out.push_back(film);
    }
  }
  return out;
}

std::vector<RankedEntry> polish(std::vector<RankedEntry> merged, std::size_t limit,
                                const ReadState& state) {
  std::sort(merged.begin(), merged.end(), RankedOrder(*state.items));
  if (merged.size() > limit) merged.resize(limit);
  return merged;
}

void fill(std::vector<RankedEntry>& films, std::span<const Genre> genres, const Dealings& dealings,
          const Matcher& matcher, const ReadState& state, std::size_t limit) {
  if (films.size() >= limit) return;
  NumberSet taken(limit);
  for (const RankedEntry& film : films) taken.insert(film.item);
  const auto take_from = [&](ListWalk& walk, bool seen_too) {
    while (films.size() < limit && !walk.done()) {
      const RankedEntry entry = walk.next();
      if (taken.contains(entry.item) || !matcher.allows(entry.item)) continue;
      if (!seen_too && dealings.seen.contains(entry.item)) continue;
      taken.insert(entry.item);
      films.push_back(entry);
    }
  };
  ListWalk of_genres(*state.items);
  for (const Genre& genre : genres) add_lists(of_genres, dealings, genre.name, matcher);
  take_from(of_genres, false);
  ListWalk all(*state.items);
  add_lists(all, dealings, matcher.category(), matcher);
  take_from(all, false);
  if (!films.empty()) return;
  ListWalk again(*state.items);
  add_lists(again, dealings, matcher.category(), matcher);
  take_from(again, true);
}

}  // namespace genre_weighted

Ranked rank_genre_weighted(const Query& query, const ReadState& state) {
  using namespace genre_weighted;
  Ranked out{{}, "popular", "popular"};
  const Matcher matcher(query, state);
  const Who who = who_asks(state);
  if (who.known == nullptr && state.first_genres.empty()) return rank_popular(query, state);
  if (matcher.nothing() || query.limit == 0) return out;

  Dealings dealings;
  std::vector<Genre> genres;
  std::size_t liked = 0;
  if (who.known != nullptr) {
    dealings = filter_likes(*who.known, *state.catalog, matcher.kind());
    liked = dealings.liked.size();
    if (liked > 0) {
      genres = known_genres(dealings, *who.known, *state.catalog);
      weigh_less(genres, disfavour_of(*who.known, state));
    }
  } else {
    if (matcher.kind() != state::kAnyName) dealings.kinds.push_back(matcher.kind());
    liked = state.first_genres.size();
    for (const std::uint32_t genre : state.first_genres) genres.push_back({genre, 1});
  }
  std::vector<RankedEntry> films;
  if (liked > 0) {
    out.level = who.known != nullptr ? who.level : "personal";
    out.algorithm = "genre_weighted";
    std::vector<std::vector<RankedEntry>> picked;
    picked.reserve(genres.size());
    for (const Genre& genre : genres) {
      const std::size_t quantity = quantity_of(genre, liked, query.limit);
      picked.push_back(pick(genre, quantity, dealings, matcher, state));
    }
    films = polish(merge(picked), query.limit, state);
  }
  fill(films, genres, dealings, matcher, state, query.limit);
  for (const RankedEntry& film : films) {
    out.items.push_back(score_popular(film.item, query, state));
  }
  sort_by_score(out.items);
  return out;
}

}  // namespace millrace::processors
