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
// count sooner than what is not. A view: the log's tail makes it anew. Thread-safe.
class Outcomes {
 public:
  static constexpr std::int64_t kHorizonMs = 30LL * 60 * 1000;
  // Answers that are waited for: of a partition, and of a person. Beyond them new ones teach
  // nothing.
  static constexpr std::size_t kMostOpen = 20'000;
  static constexpr std::size_t kMostOfPerson = 8;

  // `items` outlives it.
  Outcomes(std::size_t partitions, const state::NameTable& items, Metrics& metrics);

  // ---- from a partition's writer, in the log's order ----
  void shown(std::uint16_t partition, const Impression& answer, UnixMillis log_time);
  void acted(std::uint16_t partition, std::string_view user, state::ItemIndex item,
             UnixMillis log_time);
  void forget(std::uint16_t partition, std::string_view user);

  // ---- from any thread ----
  // Of each item of an answer, whose scores these are, the best first, that the person acts on it.
  std::vector<double> probabilities(std::string_view algorithm,
                                    std::span<const double> scores) const;

 private:
  struct Item {
    state::ItemIndex index = state::kNoItem;
    float score = 0;
    bool acted = false;
  };
  struct Answer {
    std::string user;
    std::string algorithm;
    UnixMillis until = 0;
    std::vector<Item> items;
  };
  struct Part {
    std::deque<std::shared_ptr<Answer>> open;  // by `until`
    std::unordered_map<std::string, std::vector<std::shared_ptr<Answer>>> of_user;
  };

  void settle(Part& part, UnixMillis now);
  void learn(const Answer& answer);
  static void drop(Part& part, const std::shared_ptr<Answer>& answer);

  const state::NameTable& items_;
  Counter& predicted_;
  Counter& acted_;
  Counter& outcomes_;
  std::vector<Part> parts_;  // each its writer's
  mutable std::mutex mutex_;
  Calibration calibration_;
};

}  // namespace millrace::processors
