#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "processors/rankers/blend_weights.h"
#include "processors/views/cooccurrence.h"
#include "processors/views/fatigue.h"
#include "processors/views/interaction_matrix.h"
#include "processors/views/profiles.h"
#include "processors/views/ranked_lists.h"
#include "processors/views/recent_popularity.h"
#include "processors/views/sessions.h"
#include "schemas/ids.h"
#include "state/catalog_view.h"
#include "state/item_cells.h"
#include "state/partition_store.h"

namespace millrace::processors {

struct SequenceModel;  // processors/training/sequence_model.h

// Conditions on items; all that are given must hold. Empty text: not given.
struct Filter {
  std::string tag;
  std::string category;
  std::string kind;
  std::optional<std::int64_t> price_min;  // hundredths; items without a price never match
  std::optional<std::int64_t> price_max;  // hundredths, inclusive
  std::vector<std::pair<std::string, std::string>>
      attributes;  // member of `attributes` -> its text
};

struct Query {
  UserId user;          // empty: anonymous
  std::string session;  // stands in for a user of whom nothing is known
  std::string kind;     // empty: the ranker's own choice
  std::string category;
  std::vector<ItemId> exclude;
  Filter filter;
  std::size_t limit = 20;
  bool explain = false;    // fill Scored::parts
  std::uint64_t seed = 0;  // of everything random
  UnixMillis now = 0;
  // Of rank_arranged() (arrange.h).
  double diversity = 0;                       // 0: as ranked, to 1: as unlike each other as can be
  std::optional<std::uint32_t> rotate_after;  // nothing: as the ranker and RankingOptions say
  // Of the feed; nothing: as RankingOptions say.
  std::optional<std::size_t> in_a_row;  // most items of one parent next to each other; 0: any
  std::optional<std::int64_t> rest_ms;  // what was watched so recently is left out; 0: nothing
};

// What an operator may change; the defaults are the seeds'.
struct RankingOptions {
  std::int64_t short_half_life_ms = 6LL * 3600 * 1000;
  std::int64_t long_half_life_ms = 7LL * 24 * 3600 * 1000;
  double feed_category = 2.0;
  double feed_tag = 1.5;  // each
  double feed_view = 0.01;
  double feed_like = 1.0;
  double feed_share = 1.2;
  double feed_trend = 4.0;  // times s/(s + s0), s the short decayed weight
  double feed_trend_s0 = 10;
  double feed_random = 0.5;  // upper bound
  std::size_t feed_candidates = 100;
  std::size_t feed_in_a_row = 2;
  std::int64_t feed_rest_ms = 600'000;
  double rising_prior = 10;  // k
  std::size_t rising_candidates = 500;
  double similarity_shrink = 10;
  std::size_t similarity_sources = 30;  // a person's last items
  double similarity_recency = 8;        // of those: see profile_weight()
  double similarity_low = 0.3;          // what was taken to less weighs so much of the rest
  // What was disliked, or skipped and not taken to, weighs so much of a positive, against its like.
  double dislike = 0.5;
  double skip = 0.15;
  double skipped_again = 0.5;  // factor on the score of what was skipped itself
  // Rotation: what a person was shown so many times and never acted on loses by this factor with
  // that time and each further one, until it has not been shown for so long. 0 times: never.
  std::uint32_t rotate_after = 5;
  double rotate_factor = 0.8;
  std::int64_t rotate_recover_ms = 24LL * 3600 * 1000;
  std::size_t arranged_candidates = 100;  // that are looked at where answers are rearranged
  std::size_t most_arranged = 2'000;      // where quotas leave too few of them
  // Profiles of the personal rankers: see profile_weight().
  double recency = 3;                // positives
  double recency_floor = 0.05;       // of who goes on with what they were doing
  double recency_floor_away = 0.15;  // of who comes back
  std::int64_t away_ms = 24LL * 3600 * 1000;
  std::size_t linear_profile = 300;       // a person's last positives
  std::size_t blend_candidates = 100;     // of each part of the ensemble, before what lifts them
  std::size_t neighbour_cells = 125'000;  // of the matrix, looked at for a product's neighbours
  std::size_t session_items = 4;          // of the session at hand, the newest; at most 8
  std::size_t session_recent = 500;       // m: newest sessions that share one; at most kKept
  std::size_t session_neighbours = 100;   // k: the most similar of those
};

// A person, with the way from their partition's item numbers to indexes. Empty: nothing known.
struct KnownPerson {
  state::PersonView view;
  IndexOf index_of;
};

struct LinearModel;  // training/linear_model.h

// What a request takes once, so that everything it answers is of one instant. What it points to
// outlives the request.
struct ReadState {
  std::shared_ptr<const state::CatalogView> catalog;
  std::shared_ptr<const RankedLists> lists;
  std::vector<const state::ItemCells*> cells;  // of every partition
  KnownPerson user;
  KnownPerson session;
  // Categories that a person named of whom nothing else is known, the dearest first.
  std::vector<std::uint32_t> first_genres{};
  const Cooccurrence* cooccurrence = nullptr;          // may be absent
  const InteractionMatrix* matrix = nullptr;           // may be absent
  const Sessions* sessions = nullptr;                  // may be absent
  const RecentPopularity* recent = nullptr;            // may be absent
  std::shared_ptr<const LinearModel> linear;           // null: not trained
  std::shared_ptr<const SequenceModel> deep_learning;  // null: not trained
  std::vector<Fatigue::Shown> shown{};                 // to the user, and not acted on since
  const state::NameTable* items = nullptr;
  const state::CatalogNames* names = nullptr;
  Counter* filter_scans = nullptr;  // of Matcher; null: nobody counts
  RankingOptions options;
  BlendWeights blend;

  // Summed over the partitions.
  state::ItemCounts counts(state::ItemIndex item) const;
  std::uint64_t sold(state::ItemIndex item) const;
  // What is left of a product: the quantity that was set, less what was sold since, never below 0.
  // Nothing for what does not run out.
  std::optional<std::uint64_t> left(const state::CatalogItem& item) const;
  bool sold_out(state::ItemIndex item) const {
    return catalog->stocked(item) && left(*catalog->find(item)) == std::uint64_t{0};
  }
};

struct Part {
  std::string name;
  double value = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

struct Scored {
  state::ItemIndex item = state::kNoItem;
  double score = 0;
  std::vector<Part> parts;  // with Query::explain; their sum, in order, is exactly the score
  friend bool operator==(const Scored&, const Scored&) = default;
};

struct Ranked {
  std::vector<Scored> items;  // best first
  std::string level;          // personal, session, trending, popular or recent
  std::string algorithm;      // the one that answered: a fallback's name where it took over
  friend bool operator==(const Ranked&, const Ranked&) = default;
};

// A ranker is a function of these two and nothing else: the same input gives the same output. At
// most `limit` items, none twice, none excluded, hidden, deleted or sold out.
using RankFn = Ranked (*)(const Query&, const ReadState&);

}  // namespace millrace::processors
