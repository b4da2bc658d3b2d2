#include "app/replay.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "processors/rankers/hybrid_ensemble.h"
#include "schemas/catalog_record.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"

namespace millrace::app {
namespace {

constexpr std::size_t kBatch = 500;        // events accepted together
constexpr std::int64_t kBatchMs = 60'000;  // and no further apart than this
constexpr int kWaitMs = 60'000;            // for what must happen
constexpr std::size_t kCatalogBatch = 1'000;

}  // namespace

Replay::Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "millrace-evaluate-XXXXXX").string();
  if (::mkdtemp(name.data()) != nullptr) path = name;
}
Replay::Folder::~Folder() {
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove_all(path, ignored);
}

Replay::Replay(const EvaluationData& data, const ReplayOptions&) : data_(data) {}

Replay::~Replay() {
  if (trainer_) trainer_->stop();
  jobs_.reset();
  trainer_.reset();
  acceptor_.reset();
  if (engine_) engine_->stop();
}

Result<std::unique_ptr<Replay>> Replay::open(const EvaluationData& data,
                                             const ReplayOptions& options) {
  std::unique_ptr<Replay> replay(new Replay(data, options));
  MILLRACE_CHECK(replay->start(options));
  return replay;
}

Status Replay::start(const ReplayOptions& options) {
  if (folder_.path.empty()) return fail(Code::kIo, "cannot make a temporary folder");
  if (!data_.samples.empty()) clock_.set(std::max<UnixMillis>(0, data_.samples.front().time));
  processors::EngineOptions engine;
  engine.directory = folder_.path / "state";
  engine.memory_bytes = options.memory_bytes;
  engine.ranking = options.ranking;
  MILLRACE_TRY(engine_, processors::Engine::open(engine, log_, clock_, metrics_));
  MILLRACE_CHECK(engine_->start([](std::uint64_t, std::uint64_t) {}));
  acceptor_ = std::make_unique<ingest::Acceptor>(
      log_, engine_->table(), [](std::uint16_t, const state::Identity&) { return std::nullopt; },
      clock_, metrics_, ingest::Acceptor::Options{});
  jobs_ = std::make_unique<processors::Jobs>(clock_, metrics_);
  processors::Trainer::Options training;
  training.folder = folder_.path / "models";
  training.linear = options.linear;
  training.train_program = options.train_program;
  training.again = training.linear_again = {};
  training.change = 0;
  trainer_ = std::make_unique<processors::Trainer>(training, *engine_, *jobs_, clock_, metrics_);
  return put_catalog();
}

Status Replay::put_catalog() {
  std::vector<ingest::Append> appends;
  for (std::size_t i = 0; i < data_.catalog.size(); ++i) {
    appends.push_back(
        {kCatalogPartition, {}, encode(CatalogRecord{ids_.mint(), data_.catalog[i]})});
    if (appends.size() < kCatalogBatch && i + 1 < data_.catalog.size()) continue;
    MILLRACE_TRY(const auto offsets, log_.append_and_wait(std::exchange(appends, {})));
    fed_.include(kCatalogPartition, offsets.back());
  }
  if (!caught_up(kWaitMs)) return fail(Code::kTimeout, "the catalogue was not applied in time");
  for (std::uint32_t i = 0; i < data_.item_ids.size(); ++i) {
    const auto index = engine_->items().find(data_.item_ids[i]);
    if (!index) continue;
    if (*index >= place_.size()) place_.resize(*index + std::size_t{1}, UINT32_MAX);
    place_[*index] = i;
  }
  return {};
}

Status Replay::accept(std::span<const Sample> samples) {
  std::vector<EventOutcome> outcomes;
  for (const Sample& sample : samples) {
    Event event;
    event.source = "evaluate";
    event.id = std::to_string(next_id_++);
    event.type = engine_->table()->find(sample.type)->name;
    event.user = UserId(data_.users[sample.user]);
    event.item = ItemId(data_.item_ids[sample.item]);
    event.time = sample.time;
    if (sample.value_centi != 0) event.value_centi = sample.value_centi;
    outcomes.push_back({event.id, std::move(event)});
  }
  clock_.set(std::max(clock_.now(), samples.back().time));
  std::promise<Result<ingest::Receipt>> promise;
  acceptor_->accept(std::move(outcomes), [&promise](Result<ingest::Receipt> receipt) {
    promise.set_value(std::move(receipt));
  });
  MILLRACE_TRY(const auto receipt, promise.get_future().get());
  if (!receipt.rejected.empty()) return tl::unexpected<Error>(receipt.rejected.front().error);
  for (const auto& appended : receipt.appended) fed_.include(appended.partition, appended.offset);
  return {};
}

Status Replay::feed(std::span<const Sample> samples, bool wait) {
  while (!samples.empty()) {
    std::size_t n = 1;
    while (n < samples.size() && n < kBatch && samples[n].time - samples.front().time <= kBatchMs) {
      ++n;
    }
    MILLRACE_CHECK(accept(samples.first(n)));
    samples = samples.subspan(n);
  }
  if (wait && !caught_up(kWaitMs)) return fail(Code::kTimeout, "an event was not applied in time");
  return {};
}

bool Replay::caught_up(int timeout_ms) {
  return engine_->publisher().wait_reached(fed_, timeout_ms);
}

Status Replay::begin_training(processors::ModelKind kind) {
  const auto ended = std::make_shared<std::promise<processors::Job>>();
  training_ = ended->get_future();
  MILLRACE_CHECK(
      trainer_->train(kind, [ended](const processors::Job& job) { ended->set_value(job); })
          .map([](const auto&) {}));
  return {};
}

std::optional<Status> Replay::finished(int timeout_ms) {
  if (training_.wait_for(std::chrono::milliseconds(timeout_ms)) != std::future_status::ready) {
    return std::nullopt;
  }
  const auto job = training_.get();
  if (job.state == processors::JobState::kDone) return Status();
  return fail(Code::kInternal, "training " + job.kind + ": " + job.error);
}

processors::Query Replay::query_of(std::uint32_t user, UnixMillis now, std::size_t limit) const {
  processors::Query query;
  query.user = UserId(data_.users[user]);
  query.limit = limit;
  query.now = now;
  return query;
}

std::vector<std::uint32_t> Replay::places_of(const processors::Ranked& ranked) const {
  std::vector<std::uint32_t> out;
  for (const auto& scored : ranked.items) {
    if (scored.item < place_.size() && place_[scored.item] != UINT32_MAX) {
      out.push_back(place_[scored.item]);
    }
  }
  return out;
}

Result<std::vector<std::uint32_t>> Replay::ask(processors::RankFn rank, std::uint32_t user,
                                               UnixMillis now, std::size_t limit) const {
  MILLRACE_TRY(auto state, engine_->read(data_.users[user]));
  state.blend = blend_.weights();
  return places_of(rank(query_of(user, now, limit), state));
}

Result<Replay::Shown> Replay::show(std::uint32_t user, UnixMillis now, std::size_t limit) {
  MILLRACE_TRY(auto state, engine_->read(data_.users[user]));
  state.blend = blend_.weights();
  const auto ranked = processors::rank_hybrid_ensemble(query_of(user, now, limit), state);
  Impression answer{ids_.mint(), UserId(data_.users[user]), ranked.algorithm, 0, now, {}};
  std::vector<processors::Outcomes::Offered> offered;
  for (const auto& scored : ranked.items) {
    answer.items.emplace_back(std::string(engine_->items().name(scored.item)));
    answer.scores.push_back(static_cast<float>(scored.score));
    offered.push_back({scored.item, scored.score});
  }
  Shown shown{places_of(ranked), engine_->views().outcomes().probabilities(
                                     ranked.algorithm, data_.users[user], offered, now)};
  clock_.set(std::max(clock_.now(), now));
  const LogPartition partition{Topic::kInteractions,
                               partition_of(data_.users[user], log_.interaction_partitions())};
  std::vector<ingest::Append> appends;
  appends.push_back({partition, {}, encode(LogRecord{std::move(answer)})});
  MILLRACE_TRY(const auto offsets, log_.append_and_wait(std::move(appends)));
  fed_.include(partition, offsets.front());
  return shown;
}

Status Replay::learn_blend(std::uint32_t user, std::uint32_t item, UnixMillis now) {
  MILLRACE_TRY(const auto state, engine_->read(data_.users[user]));
  const auto index = engine_->items().find(data_.item_ids[item]);
  const auto shares = processors::blend_shares(query_of(user, now, 0), state);
  if (index) blend_.learn(shares, *index);
  return {};
}

}  // namespace millrace::app
