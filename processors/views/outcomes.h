#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "processors/views/calibration.h"
#include "schemas/event.h"
#include "state/item_index.h"

namespace millrace::processors {

// What came of answers that recommended something, item by item, and what follows from it for the
// next ones: the calibration. An item of an answer counts as acted on when its person does
// something with it that weighs more than nothing within kHorizonMs of log time, whatever it names.
// An answer is learned from as a whole when that time is over, so that what is acted on does not
// count sooner than what is not. What else tells is kept here: how much each person did of late,
// and what came of each item where it was shown. A view: the log's tail makes it anew. Thread-safe.
class Outcomes {
 public:
  static constexpr std::int64_t kHorizonMs = 30LL * 60 * 1000;
  // Answers that are waited for: of a partition, and of a person. Beyond them new ones teach
  // nothing.
  static constexpr std::size_t kMostOpen = 20'000;
  static constexpr std::size_t kMostOfPerson = 64;
  static constexpr std::size_t kMostPeople = 65'536;  // of a partition, with what they did of late

  // `items` outlives it.
  Outcomes(std::size_t partitions, const state::NameTable& items, Metrics& metrics);

  // ---- from a partition's writer, in the log's order ----
  void shown(std::uint16_t partition, const Impression& answer, UnixMillis log_time);
  void acted(std::uint16_t partition, std::string_view user, state::ItemIndex item,
             UnixMillis log_time);
  void forget(std::uint16_t partition, std::string_view user);

  // ---- from any thread ----
  // Of each item of an answer, the best first, that its person acts on it.
  struct Offered {
    state::ItemIndex item = state::kNoItem;
    double score = 0;
  };
  std::vector<double> probabilities(std::string_view algorithm, std::string_view user,
                                    std::span<const Offered> items, UnixMillis now) const;

 private:
  struct Item {
    state::ItemIndex index = state::kNoItem;
    float score = 0;
    float taken = 0;  // as ShownItem
    bool acted = false;
  };
  // What a person did, older acts weighing less and less.
  struct Activity {
    double now = 0;
    double lately = 0;
    double before = 0;
    UnixMillis began = 0;  // the session
    UnixMillis at = 0;
    Activity seen_at(UnixMillis time) const;
  };
  // What came of an item where it was shown, older answers weighing less and less.
  struct Fate {
    float shown = 0;
    float acted = 0;
    void add(bool did);
  };
  struct Answer {
    std::string user;
    std::string algorithm;
    UnixMillis until = 0;
    std::vector<Item> items;
    Activity activity{};  // of the person when it was shown
  };
  struct Part {
    std::unordered_map<std::uint64_t, Activity>
        activity;                              // by the hash of their name; activity_mutex_
    std::deque<std::shared_ptr<Answer>> open;  // by `until`
    std::unordered_map<std::string, std::vector<std::shared_ptr<Answer>>> of_user;
  };

  void settle(Part& part, UnixMillis now);
  void learn(const Answer& answer);
  ShownItem shown_item(std::uint32_t rank, double score, double taken,
                       const Activity& activity) const;
  double taken(state::ItemIndex item) const;  // with mutex_
  Activity activity(std::uint16_t partition, std::string_view user, UnixMillis now) const;
  void acts(std::uint16_t partition, std::string_view user, UnixMillis now);
  static void drop(Part& part, const std::shared_ptr<Answer>& answer);

  const state::NameTable& items_;
  Counter& predicted_;
  Counter& acted_;
  Counter& outcomes_;
  std::vector<Part> parts_;  // each its writer's
  mutable std::mutex activity_mutex_;
  mutable std::mutex mutex_;  // over what follows
  Calibration calibration_;
  std::vector<Fate> fates_;  // by item
  Fate all_fates_;
};

}  // namespace millrace::processors
