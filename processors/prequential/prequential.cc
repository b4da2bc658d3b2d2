#include "processors/prequential/prequential.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "processors/prequential/blend_record.h"
#include "schemas/catalog_record.h"

namespace millrace::processors {
namespace {

constexpr std::chrono::milliseconds kLook{250};
constexpr int kVisibleMs = 1'000;
constexpr std::string_view kEnsemble = "hybrid_ensemble";

// Where a part's list has the item.
std::optional<std::size_t> place_of(const BlendShares& shares, std::size_t part,
                                    state::ItemIndex item) {
  std::size_t place = 0;
  for (const auto& share : shares.shares) {
    if (share.part != part) continue;
    if (share.item == item) return place;
    ++place;
  }
  return std::nullopt;
}

bool answered(const BlendShares& shares, std::size_t part) {
  return std::any_of(shares.shares.begin(), shares.shares.end(),
                     [part](const auto& share) { return share.part == part; });
}

}  // namespace

Prequential::Prequential(const PrequentialOptions& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      skipped_(parts.metrics->counter("prequential_predictions_skipped_total",
                                      "Predictions that were not made, because of the limit of "
                                      "so many a second.")),
      people_(parts.metrics->gauge("prequential_people",
                                   "People of whom it is predicted what they take to next.")) {
  const auto add = [this](std::string_view name) {
    const Labels labels{{"ranker", std::string(name)}};
    auto& metrics = *parts_.metrics;
    rankers_.push_back(
        {name,
         {},
         &metrics.counter("prequential_predictions_total",
                          "Predictions of what a person takes to next that have been put to the "
                          "test; of a ranker those that it had an answer for.",
                          labels),
         &metrics.counter("prequential_hits_total",
                          "Those of them that had it among the first ten.", labels),
         &metrics.counter("prequential_reciprocal_rank_total",
                          "Sum of 1 / place of it among the first ten.", labels)});
  };
  for (const auto& part : kBlendParts) add(part.name);
  add(kEnsemble);
}

Prequential::~Prequential() { stop(); }

void Prequential::start() {
  if (options_.per_second <= 0 || thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    learner_ = learner_of(parts_.catalog->blend()->blend);
  }
  parts_.tests->open();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Prequential::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  parts_.tests->close();
  parts_.tests->ring();
  thread_.join();
}

void Prequential::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    parts_.tests->wait(kLook);
    auto taken = parts_.tests->take();
    Position seen;
    std::vector<std::string> people;
    for (auto& event : taken) {
      test(event);
      if (event.events == 0) continue;
      seen.include(event.partition, event.offset);
      people.push_back(std::move(event.user));
    }
    std::sort(people.begin(), people.end());
    people.erase(std::unique(people.begin(), people.end()), people.end());
    if (!people.empty()) parts_.publisher->wait_reached(seen, kVisibleMs);
    for (const auto& user : people) {
      if (!stop.stop_requested() && !predict(user)) skipped_.inc();
    }
    predict_those_away();
    count_people();
    put_blend_if_due();
  }
}

void Prequential::test(const TestEvent& event) {
  const auto found = held_.find(event.user);
  if (found == held_.end()) return;
  if (event.events == 0) {
    held_.erase(found);
  } else if (event.took_to && event.events > found->second.events) {
    score(found->second, event.item);
    held_.erase(found);
  }
}

void Prequential::score(const Prediction& prediction, state::ItemIndex item) {
  const auto add = [](Ranker& ranker, std::optional<std::size_t> place) {
    ranker.score.add(place);
    ranker.predictions->inc();
    if (!place || *place >= kPrequentialK) return;
    ranker.hits->inc();
    ranker.reciprocal->inc(1.0 / static_cast<double>(*place + 1));
  };
  const std::lock_guard lock(mutex_);
  for (std::size_t p = 0; p < kBlendPartCount; ++p) {
    if (answered(prediction.shares, p)) add(rankers_[p], place_of(prediction.shares, p, item));
  }
  const auto& list = prediction.ensemble;
  const auto at = std::find(list.begin(), list.end(), item);
  const auto place = static_cast<std::size_t>(at - list.begin());
  add(rankers_.back(), at == list.end() ? std::nullopt : std::optional(place));
  if (options_.learn) learner_.learn(prediction.shares, item);
}

bool Prequential::may_predict() {
  const auto now = steady_micros();
  const double earned = static_cast<double>(now - allowed_us_) / 1e6 * options_.per_second;
  allowed_us_ = now;
  allowance_ = std::min(allowance_ + earned, std::max(1.0, options_.per_second));
  if (allowance_ < 1) return false;
  allowance_ -= 1;
  return true;
}

// False: it may not be done now, and what was predicted before stays.
bool Prequential::predict(const std::string& user) {
  if (!may_predict()) return false;
  Prediction made;
  const auto state = parts_.views->read(user, {});
  if (state && state->user.view.person) {
    Query query;
    query.user = UserId(user);
    query.limit = kPrequentialK;
    query.now = made.made = parts_.clock->now();
    made.shares = blend_shares(query, *state);
    made.events = state->user.view.person->events;
    const auto& weights = state->blend.row(made.shares.segment, made.shares.moment);
    for (const auto& one : weighed(made.shares, weights, kPrequentialK, *state->catalog)) {
      made.ensemble.push_back(one.item);
    }
  }
  if (made.shares.shares.empty()) {
    held_.erase(user);
  } else {
    hold(user, std::move(made));
  }
  return true;
}

void Prequential::hold(const std::string& user, Prediction prediction) {
  prediction.number = ++last_number_;
  by_age_.emplace_back(user, prediction.number);
  held_.insert_or_assign(user, std::move(prediction));
  while (held_.size() > options_.people) {
    const auto oldest = find(by_age_.front());
    if (oldest != held_.end()) held_.erase(oldest);
    by_age_.pop_front();
  }
  if (by_age_.size() <= 2 * options_.people) return;
  std::erase_if(by_age_, [this](const Aged& entry) { return find(entry) == held_.end(); });
}

// The prediction that an entry of by_age_ speaks of; end(): it is there no more.
Prequential::Held::iterator Prequential::find(const Aged& entry) {
  const auto found = held_.find(entry.first);
  return found != held_.end() && found->second.number == entry.second ? found : held_.end();
}

// Who comes back after a while is answered otherwise than who goes on.
void Prequential::predict_those_away() {
  const auto due = parts_.clock->now() - options_.away_ms;
  while (!by_age_.empty()) {
    const auto found = find(by_age_.front());
    if (found != held_.end()) {
      if (found->second.made > due || !predict(found->first)) return;
    }
    by_age_.pop_front();
  }
}

void Prequential::put_blend_if_due() {
  if (!options_.learn) return;
  const auto kept = parts_.catalog->blend();
  const auto now = parts_.clock->now();
  if (now - std::max(kept->created, tried_) < options_.put_ms) return;
  BlendLearner learner;
  {
    const std::lock_guard lock(mutex_);
    learner = learner_;
  }
  if (largest_change(weights_of(kept->blend), learner.weights()) < options_.least_change) return;
  tried_ = now;
  // The same name on every node: all but the first are repeats.
  CatalogRecord record{"blend after " + std::to_string(kept->version), PutBlend{blend_of(learner)}};
  std::vector<ingest::Append> appends;
  appends.push_back({kCatalogPartition, {}, encode(record)});
  const auto put = parts_.log->append_and_wait(std::move(appends));
  if (!put) log_warn("the learned blend was not put into the catalog: " + put.error().detail);
}

void Prequential::count_people() {
  people_.set(static_cast<double>(held_.size()));
  const std::lock_guard lock(mutex_);
  held_count_ = held_.size();
}

Prequential::Figures Prequential::figures() const {
  Figures out;
  const std::lock_guard lock(mutex_);
  for (const auto& ranker : rankers_) out.rankers.emplace_back(ranker.name, ranker.score);
  out.learner = learner_;
  out.people = held_count_;
  return out;
}

}  // namespace millrace::processors
