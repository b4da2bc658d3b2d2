#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "processors/rankers/common.h"
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// Weighted Genre Proportional, seed 001: as many films of each genre as its share of what the
// person liked. Without anything rated three stars or better: popular. Items that the person has
// watched or rated come only when there is nothing else at all.
Ranked rank_genre_weighted(const Query& query, const ReadState& state);

// Its seven steps, each by itself.
namespace genre_weighted {

// What a person's rows say here. Films of `kinds` only where `kinds` is not empty.
struct Dealings {
  std::vector<state::ItemIndex> liked;  // step 1: rated three stars or better
  NumberSet seen;                       // watched or rated
  std::vector<std::uint32_t> kinds;     // of what was rated, or as asked for; ascending
};
// 1. Filtering likes. `kind` kAnyName: those that the person rated.
Dealings filter_likes(const KnownPerson& known, const state::CatalogView& catalog,
                      std::uint32_t kind);

struct Genre {
  std::uint32_t name = 0;
  std::uint32_t liked = 0;  // liked films in it
  friend bool operator==(const Genre&, const Genre&) = default;
};
// 2. Genre analysis: the genres of the liked films, ascending by name index.
std::vector<Genre> genres_of(std::span<const state::ItemIndex> liked,
                             const state::CatalogView& catalog);
// 3. A genre's weight: liked films in it / liked films.
double weight_of(const Genre& genre, std::size_t liked_films);
// 4. Quantity: limit * weight, halves rounded up; in integers.
std::size_t quantity_of(const Genre& genre, std::size_t liked_films, std::size_t limit);
// 5. The `quantity` most popular unseen films of a genre, best first.
std::vector<RankedEntry> pick(const Genre& genre, std::size_t quantity, const Dealings& dealings,
                              const Matcher& matcher, const ReadState& state);
// 6. One list of all without repeats.
std::vector<RankedEntry> merge(const std::vector<std::vector<RankedEntry>>& picked);
// 7. By popularity, cut to `limit`.
std::vector<RankedEntry> polish(std::vector<RankedEntry> merged, std::size_t limit,
                                const ReadState& state);
// When short: the remaining films of the liked genres by popularity, then all by popularity.
void fill(std::vector<RankedEntry>& films, std::span<const Genre> genres, const Dealings& dealings,
          const Matcher& matcher, const ReadState& state, std::size_t limit);

}  // namespace genre_weighted
}  // namespace millrace::processors
