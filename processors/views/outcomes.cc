#include "processors/views/outcomes.h"

#include <algorithm>
#include <utility>

namespace millrace::processors {

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
  const auto open = std::make_shared<Answer>(
      Answer{answer.user.value, answer.algorithm, log_time + kHorizonMs, {}});
  open->items.reserve(answer.items.size());
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    const auto index = items_.find(answer.items[i].value);
    open->items.push_back({index.value_or(state::kNoItem), answer.scores[i], false});
  }
  part.open.push_back(open);
  of_user.push_back(open);
}

void Outcomes::acted(std::uint16_t partition, std::string_view user, state::ItemIndex item,
                     UnixMillis log_time) {
  Part& part = parts_[partition];
  settle(part, log_time);
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
  for (std::uint32_t rank = 0; rank < answer.items.size(); ++rank) {
    const auto& item = answer.items[rank];
    predicted_.inc(calibration_.probability(answer.algorithm, {rank, item.score}));
    acted_.inc(item.acted ? 1 : 0);
  }
  outcomes_.inc(static_cast<double>(answer.items.size()));
  for (std::uint32_t rank = 0; rank < answer.items.size(); ++rank) {
    const auto& item = answer.items[rank];
    calibration_.learn(answer.algorithm, {rank, item.score}, item.acted);
  }
}

std::vector<double> Outcomes::probabilities(std::string_view algorithm,
                                            std::span<const double> scores) const {
  std::vector<double> out;
  out.reserve(scores.size());
  const std::lock_guard lock(mutex_);
  for (std::uint32_t rank = 0; rank < scores.size(); ++rank) {
    out.push_back(calibration_.probability(algorithm, {rank, scores[rank]}));
  }
  return out;
}

}  // namespace millrace::processors
