#include "app/evaluation.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "processors/rankers/list.h"

namespace millrace::app {
namespace {

constexpr std::size_t kFeed = 2'000;  // events between two looks at who might stop us
constexpr int kLookMs = 100;
constexpr std::size_t kShown = 10;  // items whose probabilities are measured

Error stopped() { return {Code::kUnavailable, "stopped", {}}; }

class Evaluator {
 public:
  Evaluator(const EvaluationData& data, const EvaluationOptions& options,
            const OnProgress& progress)
      : data_(data), options_(options), progress_(progress) {
    measure_.k = options.k;
    measure_.catalogue = data.items.size();
    limit_ = *std::max_element(options.k.begin(), options.k.end());
  }

  Result<std::vector<AlgorithmResult>> run() {
    MILLRACE_CHECK(find_algorithms());
    MILLRACE_TRY(replay_, Replay::open(data_, options_.replay));
    if (options_.protocol == Protocol::kPrequential) return run_prequential();
    std::vector<std::uint32_t> all(data_.samples.size());
    std::iota(all.begin(), all.end(), 0U);
    auto split = cut(data_, all, options_.protocol, options_.ratio, options_.seed);
    if (options_.validation) {
      // Of time: as many events as the test part has.
      const double share = options_.protocol == Protocol::kTemporal
                               ? options_.ratio / 2 / (1 - options_.ratio)
                               : options_.ratio;
      split = cut(data_, split.train, options_.protocol, share, options_.seed + 1);
    }
    questions_ = questions_of(data_, split, options_.protocol);
    MILLRACE_CHECK(replay(split.train));
    MILLRACE_CHECK(train_linear());
    MILLRACE_CHECK(train_deep());
    std::vector<AlgorithmResult> results;
    for (const auto* ranker : rankers_) {
      MILLRACE_TRY(auto result, ask_all(*ranker));
      results.push_back(std::move(result));
    }
    return results;
  }

 private:
  Status find_algorithms() {
    for (const auto& name : options_.algorithms) {
      const auto* ranker = processors::find_ranker(name);
      if (ranker == nullptr)
        return fail(Code::kInvalid, "there is no algorithm " + name, "algorithms");
      rankers_.push_back(ranker);
    }
    return {};
  }

  void count(const Sample& sample) {
    if (had_by_.empty()) had_by_.resize(data_.items.size());
    ++had_by_[sample.item];
    people_.insert(sample.user);
  }

  Status replay(const std::vector<std::uint32_t>& train) {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < train.size(); ++i) {
      samples.push_back(data_.samples[train[i]]);
      count(samples.back());
      if (samples.size() < kFeed && i + 1 < train.size()) continue;
      MILLRACE_CHECK(replay_->feed(std::exchange(samples, {}), false));
      const double share = static_cast<double>(i + 1) / static_cast<double>(train.size());
      if (!progress_("replay", share, i + 1)) return tl::unexpected<Error>(stopped());
    }
    while (!replay_->caught_up(kLookMs)) {
      if (!progress_("apply", 0, train.size())) return tl::unexpected<Error>(stopped());
    }
    return {};
  }

  // Where the model is of use: to the ranker that is all of it, or to the ensemble.
  Status train(processors::ModelKind kind, std::string_view alone) {
    const bool wanted = std::any_of(rankers_.begin(), rankers_.end(), [&](const auto* ranker) {
      return ranker->name == alone || ranker->name == "hybrid_ensemble";
    });
    if (!wanted) return {};
    MILLRACE_CHECK(replay_->begin_training(kind));
    for (;;) {
      if (const auto status = replay_->finished(kLookMs)) return *status;
      if (!progress_("train " + std::string(alone), 0, 0)) {
        return tl::unexpected<Error>(stopped());
      }
    }
  }
  Status train_linear() { return train(processors::ModelKind::kLinear, "linear"); }
  Status train_deep() {
    if (!options_.train_deep) return {};
    return train(processors::ModelKind::kDeepLearning, "deep_learning");
  }

  // A list, with its time in AlgorithmResult::latencies_us.
  Result<std::vector<std::uint32_t>> ask(const processors::Ranker& ranker, std::uint32_t user,
                                         UnixMillis now, AlgorithmResult& into) {
    const auto start = steady_micros();
    auto list = replay_->ask(ranker.rank, user, now, limit_);
    into.latencies_us.push_back(static_cast<std::uint32_t>(steady_micros() - start));
    return list;
  }

  void finish(AlgorithmResult& result, const std::vector<Answered>& answers) {
    std::sort(result.latencies_us.begin(), result.latencies_us.end());
    measure_.had_by = had_by_;
    measure_.people = people_.size();
    result.metrics = measure(answers, measure_);
  }

  Result<AlgorithmResult> ask_all(const processors::Ranker& ranker) {
    AlgorithmResult result;
    result.algorithm = ranker.name;
    std::vector<Answered> answers;
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      const Question& question = questions_[i];
      MILLRACE_TRY(auto list, ask(ranker, question.user, question.now, result));
      answers.push_back({list, question.truth});
      result.lists.emplace_back(question.user, std::move(list));
      const double share = static_cast<double>(i + 1) / static_cast<double>(questions_.size());
      if (!progress_(result.algorithm, share, i + 1)) return tl::unexpected<Error>(stopped());
    }
    finish(result, answers);
    return result;
  }

  // What the server would say of an event that is to come, and what follows from it.
  Status forecast(const Sample& sample, Forecasts& forecasts) {
    MILLRACE_TRY(const auto shown, replay_->show(sample.user, sample.time, kShown));
    forecasts.shown(sample.user, sample.time, shown.items, shown.probabilities);
    if (!options_.learn_blend) return {};
    return replay_->learn_blend(sample.user, sample.item, sample.time);
  }

  // Predicts what a person takes to, before it is applied: positives of items that they have not
  // dealt with, from their second on.
  Result<std::vector<AlgorithmResult>> run_prequential() {
    std::vector<AlgorithmResult> results(rankers_.size());
    std::vector<std::vector<Answered>> answers(rankers_.size());
    std::vector<bool> begun(data_.users.size());
    std::set<std::pair<std::uint32_t, std::uint32_t>> had;
    std::vector<std::uint32_t> truths(data_.samples.size());
    UnixMillis trained = INT64_MIN / 2;
    const auto ensemble = std::find_if(rankers_.begin(), rankers_.end(), [](const auto* ranker) {
      return ranker->name == "hybrid_ensemble";
    });
    const bool whole = ensemble != rankers_.end();
    Forecasts forecasts(processors::Outcomes::kHorizonMs);
    // Of the first people alone there is nothing to learn.
    UnixMillis trained_deep = data_.samples.empty() ? 0 : data_.samples.front().time;
    for (std::size_t i = 0; i < data_.samples.size(); ++i) {
      const Sample& sample = data_.samples[i];
      const bool fresh = had.emplace(sample.user, sample.item).second;
      if (sample.positive() && fresh && begun[sample.user]) {
        truths[i] = sample.item;
        for (std::size_t r = 0; r < rankers_.size(); ++r) {
          MILLRACE_TRY(auto list, ask(*rankers_[r], sample.user, sample.time, results[r]));
          answers[r].push_back({std::move(list), {&truths[i], 1}});
        }
      }
      if (whole && sample.positive() && fresh && begun[sample.user]) {
        MILLRACE_CHECK(forecast(sample, forecasts));
      }
      forecasts.acted(sample.user, sample.item, sample.time);
      MILLRACE_CHECK(replay_->feed({&sample, 1}, true));
      count(sample);
      if (sample.positive()) begun[sample.user] = true;
      if (sample.time - trained >= options_.retrain_ms) {
        trained = sample.time;
        MILLRACE_CHECK(train_linear());
      }
      if (sample.time - trained_deep >= options_.retrain_deep_ms) {
        trained_deep = sample.time;
        MILLRACE_CHECK(train_deep());
      }
      const double share = static_cast<double>(i + 1) / static_cast<double>(data_.samples.size());
      if (!progress_("predict", share, i + 1)) return tl::unexpected<Error>(stopped());
    }
    for (std::size_t r = 0; r < rankers_.size(); ++r) {
      results[r].algorithm = rankers_[r]->name;
      if (rankers_[r]->name == "hybrid_ensemble") {
        results[r].confidence = measure_confidence(forecasts.all());
      }
      finish(results[r], answers[r]);
    }
    return results;
  }

  const EvaluationData& data_;
  const EvaluationOptions& options_;
  const OnProgress& progress_;
  MetricsOptions measure_;
  std::size_t limit_ = 0;
  std::vector<const processors::Ranker*> rankers_;
  std::unique_ptr<Replay> replay_;
  std::vector<Question> questions_;
  std::vector<std::uint32_t> had_by_;
  std::set<std::uint32_t> people_;
};

}  // namespace

Result<std::vector<AlgorithmResult>> evaluate(const EvaluationData& data,
                                              const EvaluationOptions& options,
                                              const OnProgress& progress) {
  return Evaluator(data, options, progress).run();
}

}  // namespace millrace::app
