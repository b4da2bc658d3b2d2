#include "processors/views/outcomes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "processors/rankers/common.h"
#include "schemas/partitioner.h"

namespace millrace::processors {
namespace {

constexpr double kNowMs = 5.0 * 60 * 1000;  // time constants of Activity
constexpr double kLatelyMs = 30.0 * 60 * 1000;
constexpr double kBeforeMs = 30.0 * 24 * 3600 * 1000;
constexpr float kFateMemory = 0.98F, kAllFatesMemory = 0.9999F;  // a time shown
constexpr double kFatePrior = 4;                                 // times shown

double odds(double acted, double shown) { return (acted + 0.01) / (shown - acted + 0.01); }

}  // namespace

Outcomes::Activity Outcomes::Activity::seen_at(UnixMillis time) const {
  const auto passed = std::max<UnixMillis>(0, time - at);
  const auto ms = static_cast<double>(passed);
  return {now * std::exp(-ms / kNowMs), lately * std::exp(-ms / kLatelyMs),
          before * std::exp(-ms / kBeforeMs), passed < kHorizonMs ? began : std::max(at, time),
          std::max(at, time)};
}

void Outcomes::Fate::add(bool did) {
  shown = shown * kFateMemory + 1;
  acted = acted * kFateMemory + (did ? 1.0F : 0.0F);
}

// Of an item that was hardly ever shown 0.
double Outcomes::taken(state::ItemIndex item) const {
  if (item >= fates_.size() || all_fates_.shown == 0) return 0;
  const double rate = static_cast<double>(all_fates_.acted / all_fates_.shown);
  const Fate& fate = fates_[item];
  const double shown = static_cast<double>(fate.shown) + kFatePrior;
  const double acted = static_cast<double>(fate.acted) + kFatePrior * rate;
  return std::log(odds(acted, shown) / odds(rate * shown, shown));
}

Outcomes::Activity Outcomes::activity(std::uint16_t partition, std::string_view user,
                                      UnixMillis now) const {
  const std::lock_guard lock(activity_mutex_);
  const auto& all = parts_[partition].activity;
  const auto found = all.find(text_hash(user));
  return found == all.end() ? Activity() : found->second.seen_at(now);
}

void Outcomes::acts(std::uint16_t partition, std::string_view user, UnixMillis now) {
  const std::lock_guard lock(activity_mutex_);
  auto& all = parts_[partition].activity;
  if (all.size() >= kMostPeople && !all.contains(text_hash(user))) all.erase(all.begin());
  auto& mine = all[text_hash(user)];
  mine = mine.seen_at(now);
  mine.now += 1;
  mine.lately += 1;
  mine.before += 1;
}

ShownItem Outcomes::shown_item(std::uint32_t rank, double score, double taken,
                               const Activity& activity) const {
  const auto session = static_cast<double>(activity.at - activity.began) / 60'000;
  return {rank,
          score,
          std::log1p(activity.now),
          std::log1p(activity.lately),
          std::log1p(activity.before),
          std::log1p(session),
          taken};
}

Outcomes::Outcomes(std::size_t partitions, const state::NameTable& items, Metrics& metrics)
    : items_(items),
      predicted_(metrics.counter("recommendation_items_predicted_total",
                                 "Items of answers that people were to act on by confidence_score: "
                                 "the sum of it.")),
      acted_(metrics.counter("recommendation_items_acted_total",
                             "Items of answers that people did act on.")),
      outcomes_(metrics.counter("recommendation_items_total",
                                "Items of answers of which it is known what came of them.")),
      parts_(partitions) {}

void Outcomes::shown(std::uint16_t partition, const Impression& answer, UnixMillis log_time) {
  Part& part = parts_[partition];
  settle(part, log_time);
  if (answer.scores.size() != answer.items.size() || part.open.size() >= kMostOpen) return;
  auto& of_user = part.of_user[answer.user.value];
  if (of_user.size() >= kMostOfPerson) return;
  const auto open =
      std::make_shared<Answer>(Answer{answer.user.value,
                                      answer.algorithm,
                                      log_time + kHorizonMs,
                                      {},
                                      activity(partition, answer.user.value, log_time)});
  open->items.reserve(answer.items.size());
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < answer.items.size(); ++i) {
      const auto index = items_.find(answer.items[i].value).value_or(state::kNoItem);
      open->items.push_back({index, answer.scores[i], static_cast<float>(taken(index)), false});
    }
  }
  part.open.push_back(open);
  of_user.push_back(open);
}

void Outcomes::acted(std::uint16_t partition, std::string_view user, state::ItemIndex item,
                     UnixMillis log_time) {
  Part& part = parts_[partition];
  settle(part, log_time);
  acts(partition, user, log_time);
  if (part.of_user.empty()) return;
  const auto found = part.of_user.find(std::string(user));
  if (found == part.of_user.end()) return;
  for (const auto& answer : found->second) {
    for (Item& one : answer->items) one.acted = one.acted || one.index == item;
  }
}

void Outcomes::drop(Part& part, const std::shared_ptr<Answer>& answer) {
  const auto found = part.of_user.find(answer->user);
  if (found == part.of_user.end()) return;
  std::erase(found->second, answer);
  if (found->second.empty()) part.of_user.erase(found);
}

void Outcomes::forget(std::uint16_t partition, std::string_view user) {
  Part& part = parts_[partition];
  {
    const std::lock_guard lock(activity_mutex_);
    part.activity.erase(text_hash(user));
  }
  part.of_user.erase(std::string(user));
  std::erase_if(part.open, [&](const auto& answer) { return answer->user == user; });
}

void Outcomes::settle(Part& part, UnixMillis now) {
  while (!part.open.empty() && part.open.front()->until <= now) {
    const auto answer = std::move(part.open.front());
    part.open.pop_front();
    drop(part, answer);
    learn(*answer);
  }
}

// All of it is predicted before any of it is learned.
void Outcomes::learn(const Answer& answer) {
  const std::lock_guard lock(mutex_);
  std::vector<ShownItem> shown;
  for (std::uint32_t rank = 0; rank < answer.items.size(); ++rank) {
    const auto& item = answer.items[rank];
    shown.push_back(shown_item(rank, item.score, item.taken, answer.activity));
    predicted_.inc(calibration_.probability(answer.algorithm, shown.back()));
    acted_.inc(item.acted ? 1 : 0);
  }
  outcomes_.inc(static_cast<double>(answer.items.size()));
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto& item = answer.items[i];
    calibration_.learn(answer.algorithm, shown[i], item.acted);
    all_fates_.shown = all_fates_.shown * kAllFatesMemory + 1;
    all_fates_.acted = all_fates_.acted * kAllFatesMemory + (item.acted ? 1.0F : 0.0F);
    if (item.index == state::kNoItem) continue;
    if (item.index >= fates_.size()) fates_.resize(item.index + std::size_t{1});
    fates_[item.index].add(item.acted);
  }
}

std::vector<double> Outcomes::probabilities(std::string_view algorithm, std::string_view user,
                                            std::span<const Offered> items, UnixMillis now) const {
  const auto of =
      activity(partition_of(user, static_cast<std::uint16_t>(parts_.size())), user, now);
  std::vector<double> out;
  out.reserve(items.size());
  const std::lock_guard lock(mutex_);
  for (std::uint32_t rank = 0; rank < items.size(); ++rank) {
    const auto& [item, score] = items[rank];
    out.push_back(calibration_.probability(algorithm, shown_item(rank, score, taken(item), of)));
  }
  return out;
}

}  // namespace millrace::processors
