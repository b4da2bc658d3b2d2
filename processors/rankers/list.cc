#include "processors/rankers/list.h"

#include "processors/rankers/collaborative.h"
#include "processors/rankers/deep_learning.h"
#include "processors/rankers/feed.h"
#include "processors/rankers/genre_weighted.h"
#include "processors/rankers/hybrid_ensemble.h"
#include "processors/rankers/linear.h"
#include "processors/rankers/listed.h"
#include "processors/rankers/rising.h"
#include "processors/rankers/session.h"

namespace millrace::processors {
namespace {

// THE list of rankers: a new algorithm is one line here.
constexpr Ranker kRankers[] = {
    {"popular", rank_popular},
    {"top_rated", rank_top_rated, false, true},
    {"most_watched", rank_most_watched},
    {"trending", rank_trending, false, true},
    {"rising", rank_rising, false, true},
    {"recent", rank_recent},
    {"genre_weighted", rank_genre_weighted, true, true},
    {"feed", rank_feed, true},
    {"collaborative", rank_collaborative, true},
    {"session", rank_session, true},
    {"linear", rank_linear, true},
    {"deep_learning", rank_deep_learning, true},
    {"hybrid_ensemble", rank_hybrid_ensemble, true},
};

}  // namespace

std::span<const Ranker> rankers() { return kRankers; }

const Ranker* find_ranker(std::string_view name) {
  for (const Ranker& ranker : kRankers) {
    if (ranker.name == name) return &ranker;
  }
  return nullptr;
}

}  // namespace millrace::processors
