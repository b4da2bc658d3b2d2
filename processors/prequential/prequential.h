#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/event_log.h"
#include "processors/prequential/blend_learner.h"
#include "processors/prequential/ranker_score.h"
#include "processors/prequential/test_queue.h"
#include "processors/publisher.h"
#include "processors/views/live_views.h"
#include "state/catalog_store.h"

namespace millrace::processors {

struct PrequentialOptions {
  double per_second = 0;          // predictions at most, over all people; 0: none at all
  double share = 1;               // of people, by the hash of their name
  bool learn = true;              // blend weights; false: as they were chosen
  std::int64_t put_ms = 600'000;  // least time between two blends
  double least_change = 0.05;     // of some weight, as a share of its row's sum
  std::size_t queue = 4'096;      // events that wait; beyond: dropped, and counted
  std::size_t people = 2'000;     // with a prediction; beyond: the oldest one is dropped
  std::int64_t away_ms = 24LL * 3600 * 1000;  // after so long it is made anew
};

// Test-then-train in the running server: each event of a sampled person is compared with what the
// rankers said before it was applied (Gama, Sebastiao and Rodrigues, "On evaluating stream learning
// algorithms", 2013). After an event of theirs, and anew where they then stay away, it is predicted
// what a person takes to next, by every part of the ensemble and by the ensemble. The next item
// that they take to is looked for in those lists, and the prediction is used up. From this come the
// rankers' live figures and the blend's weights, which are put into the catalog now and then by
// whichever node is first. On a thread of its own; apply never waits for it. Nothing of it is a
// fact.
class Prequential {
 public:
  // All outlive it.
  struct Parts {
    const LiveViews* views = nullptr;
    const state::CatalogStore* catalog = nullptr;
    Publisher* publisher = nullptr;
    ingest::EventLog* log = nullptr;
    TestQueue* tests = nullptr;
    const Clock* clock = nullptr;
    Metrics* metrics = nullptr;
  };
  Prequential(const PrequentialOptions& options, const Parts& parts);
  ~Prequential();  // stop()

  void start();
  void stop();

  // From any thread.
  bool learns() const { return options_.learn; }
  struct Figures {
    std::vector<std::pair<std::string_view, RankerScore>> rankers;
    BlendLearner learner;    // what the next blend would be
    std::size_t people = 0;  // of whom it is predicted now what they take to next
  };
  Figures figures() const;

 private:
  struct Prediction {
    BlendShares shares;
    std::vector<state::ItemIndex> ensemble;  // its first kPrequentialK
    std::uint64_t events = 0;                // of the person: what is among these is no test
    UnixMillis made = 0;
    std::uint64_t number = 0;
  };
  struct Ranker {
    std::string_view name;
    RankerScore score;
    Counter* hits;
    Counter* predictions;
    Counter* reciprocal;
  };

  using Held = std::unordered_map<std::string, Prediction>;
  using Aged = std::pair<std::string, std::uint64_t>;  // user, number of the prediction

  void run(const std::stop_token& stop);
  void test(const TestEvent& event);
  void score(const Prediction& prediction, state::ItemIndex item);
  bool may_predict();
  bool predict(const std::string& user);
  void predict_those_away();
  void hold(const std::string& user, Prediction prediction);
  Held::iterator find(const Aged& entry);
  void put_blend_if_due();
  void count_people();

  const PrequentialOptions options_;
  const Parts parts_;
  Counter& skipped_;
  Gauge& people_;

  // The thread's.
  Held held_;
  std::deque<Aged> by_age_;  // the oldest first; some are not held any more
  std::uint64_t last_number_ = 0;
  double allowance_ = 0;  // predictions
  std::int64_t allowed_us_ = 0;
  UnixMillis tried_ = 0;  // to put a blend

  mutable std::mutex mutex_;  // over what follows
  std::vector<Ranker> rankers_;
  BlendLearner learner_;
  std::size_t held_count_ = 0;
  std::jthread thread_;
};

}  // namespace millrace::processors
