#pragma once
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "processors/rankers/matcher.h"
#include "processors/rankers/number_set.h"
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// What rankers share.

// Whom a query is about: the user where something is known of them, else the session. `known` is
// null for a stranger.
struct Who {
  const KnownPerson* known = nullptr;
  std::string_view level;  // personal, session
};
Who who_asks(const ReadState& state);

// Gathers at most `limit` items that a query allows, none twice.
class Picks {
 public:
  Picks(const Matcher& matcher, std::size_t limit)
      : matcher_(&matcher), limit_(limit), taken_(limit) {}

  bool full() const { return items_.size() >= limit_; }
  bool empty() const { return items_.empty(); }
  // Takes `item` if it is allowed, new, and there is room. Answers false when there is no more.
  bool offer(const RankedEntry& entry) {
    if (!full() && !taken_.contains(entry.item) && matcher_->allows(entry.item)) {
      taken_.insert(entry.item);
      items_.push_back(entry);
    }
    return !full();
  }
  bool has(state::ItemIndex item) const { return taken_.contains(item); }
  std::vector<RankedEntry>& items() { return items_; }

 private:
  const Matcher* matcher_;
  std::size_t limit_;
  NumberSet taken_;
  std::vector<RankedEntry> items_;
};

// The `limit` items of highest score that `allowed` lets through, equal ones in the natural order
// of their ids. Only items that would get in are asked about. `allowed` answers false for what the
// catalog does not have.
template <class Allowed>
class Best {
 public:
  Best(std::size_t limit, const state::CatalogView& catalog, Allowed allowed)
      : limit_(limit), catalog_(&catalog), allowed_(std::move(allowed)) {}

  void offer(state::ItemIndex item, double score) {
    if (limit_ == 0 || (full() && score < heap_.front().score) || !allowed_(item)) return;
    const auto better = order();
    Scored candidate{item, score, {}};
    if (full()) {
      if (!better(candidate, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(std::move(candidate));
    std::push_heap(heap_.begin(), heap_.end(), better);
  }
  std::vector<Scored> take() && {  // best first
    std::sort_heap(heap_.begin(), heap_.end(), order());
    return std::move(heap_);
  }

 private:
  bool full() const { return heap_.size() == limit_; }
  auto order() const {
    return [catalog = catalog_](const Scored& a, const Scored& b) {
      if (a.score != b.score) return a.score > b.score;
      return state::natural_less(*catalog->find(a.item), *catalog->find(b.item));
    };
  }

  std::size_t limit_;
  const state::CatalogView* catalog_;
  Allowed allowed_;
  std::vector<Scored> heap_;
};

// What the person has dealt with: liked, disliked, saved, watched, rated, or in their sequence.
NumberSet dealt_with(const KnownPerson& known);

// Rounds to a multiple of 2^-32: sums of such numbers below 2^20 are exact in any order.
inline double round_to_exact(double x) {
  constexpr double kRound = 1.5 * (1u << 20);
  return (x + kRound) - kRound;
}

// Appends items of the list that are allowed and not `taken`, with score 0 and this one part.
void fill_from(const RankedList& list, const char* part, const Query& query, const Matcher& matcher,
               NumberSet& taken, std::vector<Scored>& items);

// The ranker's answer out of what it found itself, best first and of a score of at least 0: short
// of the limit, trending and then popular items come behind with score 0. It is `algorithm`'s and
// of the person's level, or of the list's that stood in where nothing was found.
Ranked fill_up(std::vector<Scored> found, std::string_view algorithm, const Who& who,
               const NumberSet& had, const Query& query, const Matcher& matcher);

// Several lists of one metric as one, from the top down. Items in more than one come repeatedly,
// one after the other. The lists are the snapshot's.
class ListWalk {
 public:
  explicit ListWalk(const state::NameTable& items) : order_(items) {}
  void add(const RankedList& list) {
    if (!list.empty()) cursors_.emplace_back(list);
  }
  bool done() const { return cursors_.empty(); }
  RankedEntry next();

 private:
  RankedOrder order_;
  std::vector<RankedList::Cursor> cursors_;
};

// splitmix64: a well-mixed number of `x`.
std::uint64_t mix(std::uint64_t x);
// Of the text alone: the same on every node.
std::uint64_t text_hash(std::string_view text);

// Popularity in its two parts, "rating" and "watched".
Scored score_popular(state::ItemIndex item, const Query& query, const ReadState& state);
// Items by score, equal ones in the order they have.
void sort_by_score(std::vector<Scored>& items);

}  // namespace millrace::processors
