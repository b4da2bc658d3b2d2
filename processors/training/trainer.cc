#include "processors/training/trainer.h"

#include <chrono>
#include <filesystem>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "processors/training/sequence_model.h"
#include "processors/training/train_program.h"
#include "schemas/json_writer.h"

namespace millrace::processors {
namespace {

namespace fs = std::filesystem;

constexpr ModelKind kAll[] = {ModelKind::kCategories, ModelKind::kNeighbours, ModelKind::kLinear,
                              ModelKind::kDeepLearning};
constexpr const char* kWorkFolder = "training";  // among the models: what a training leaves behind

// `more` adds the model's own members.
template <class More>
std::string result_of(const ModelFile& file, More&& more) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("model", file.name);
  out.member("position", file.position.text());
  out.member("checksum", file.checksum());
  more(out);
  out.end_object();
  return text;
}

}  // namespace

std::string_view model_name(ModelKind kind) {
  switch (kind) {
    case ModelKind::kCategories: return kCategoryModelName;
    case ModelKind::kNeighbours: return kNeighbourModelName;
    case ModelKind::kLinear: return kLinearModelName;
    case ModelKind::kDeepLearning: break;
  }
  return kSequenceModelName;
}

Trainer::Trainer(Options options, Engine& engine, Jobs& jobs, const Clock& clock, Metrics& metrics)
    : options_(std::move(options)), engine_(engine), jobs_(jobs), clock_(clock), metrics_(metrics) {
  // What a cron line names is not made up for after a start.
  if (!options_.again.cron_fields().empty()) times_.fill({clock_.now(), false});
  load();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Trainer::~Trainer() { stop(); }

void Trainer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const CategoryModel> Trainer::categories() const {
  const std::lock_guard lock(mutex_);
  return categories_;
}

std::shared_ptr<const NeighbourModel> Trainer::neighbours() const {
  const std::lock_guard lock(mutex_);
  return neighbours_;
}

std::shared_ptr<const LinearModel> Trainer::linear() const {
  const std::lock_guard lock(mutex_);
  return linear_;
}

void Trainer::keep(LinearModel model) {
  auto kept = std::make_shared<const LinearModel>(std::move(model));
  engine_.use(kept);
  const std::lock_guard lock(mutex_);
  linear_ = std::move(kept);
}

Status Trainer::load(ModelKind kind) {
  MILLRACE_TRY(const auto file, read_model(options_.folder, model_name(kind)));
  switch (kind) {
    case ModelKind::kCategories: {
      MILLRACE_TRY(auto model, CategoryModel::decode(file));
      const std::lock_guard lock(mutex_);
      categories_ = std::make_shared<const CategoryModel>(std::move(model));
      return {};
    }
    case ModelKind::kNeighbours: {
      MILLRACE_TRY(auto model, NeighbourModel::decode(file, engine_.items()));
      const std::lock_guard lock(mutex_);
      neighbours_ = std::make_shared<const NeighbourModel>(std::move(model));
      return {};
    }
    case ModelKind::kLinear:
      return LinearModel::decode(file, engine_.items()).map([&](LinearModel model) {
        keep(std::move(model));
      });
    case ModelKind::kDeepLearning: break;
  }
  return SequenceModel::decode(file, engine_.items()).map([&](SequenceModel model) {
    engine_.use(std::make_shared<const SequenceModel>(std::move(model)));
  });
}

std::vector<ModelVersion> Trainer::versions(ModelKind kind) const {
  return model_versions(options_.folder, model_name(kind));
}

Result<ModelVersion> Trainer::promote(ModelKind kind, const std::string& version) {
  for (const auto& job : jobs_.list()) {
    if (job.kind == model_name(kind) && !job.over()) {
      return fail(Code::kConflict, "the model is being trained: wait for it, or cancel it");
    }
  }
  MILLRACE_TRY(auto promoted, promote_version(options_.folder, model_name(kind), version));
  MILLRACE_CHECK(load(kind));
  return promoted;
}

void Trainer::load() {
  for (const ModelKind kind : kAll) {
    const Status status = load(kind);
    if (status || status.error().code == Code::kNotFound) continue;
    times_[static_cast<std::size_t>(kind)].wanted = true;
    log_warn("refused and trained again: " + status.error().detail);
    metrics_
        .counter("models_refused_total", "Model files that were found damaged.",
                 {{"model", std::string(model_name(kind))}})
        .inc();
  }
}

Result<std::string> Trainer::train_now(ModelKind kind, const DeepOptions& deep,
                                       JobControl& control) {
  switch (kind) {
    case ModelKind::kCategories: return train_categories(control);
    case ModelKind::kNeighbours: return train_neighbours(control);
    case ModelKind::kLinear: return train_linear(control);
    case ModelKind::kDeepLearning: break;
  }
  return train_deep_learning(deep, control);
}

Result<Job> Trainer::train(ModelKind kind, Jobs::Done done, const DeepOptions& deep) {
  MILLRACE_CHECK(check(deep));
  auto work = [this, kind, deep](JobControl& control) {
    crash_point("training_begun");
    auto result = train_now(kind, deep, control);
    if (result) {
      const auto kept = keep_version(options_.folder, model_name(kind), *result);
      if (!kept) log_warn("a model cannot be gone back to: " + kept.error().detail);
    }
    metrics_
        .gauge("model_trained_timestamp_seconds", "When a model was last trained, or tried.",
               {{"model", std::string(model_name(kind))}})
        .set(static_cast<double>(clock_.now()) / 1000);
    const std::lock_guard lock(mutex_);
    times_[static_cast<std::size_t>(kind)] = {clock_.now(), false};
    return result;
  };
  return jobs_.submit(std::string(model_name(kind)), std::move(work), std::move(done));
}

Result<std::string> Trainer::train_categories(JobControl& control) {
  const auto view = engine_.catalog().view();
  MILLRACE_TRY(auto model,
               CategoryModel::train(*view, engine_.names(), options_.clusters, control));
  const auto file = model.encode();
  MILLRACE_CHECK(write_model(options_.folder, file));
  auto result = result_of(file, [&](JsonWriter& out) { out.member("inertia", model.fit.inertia); });
  const std::lock_guard lock(mutex_);
  categories_ = std::make_shared<const CategoryModel>(std::move(model));
  return result;
}

Result<std::string> Trainer::train_neighbours(JobControl& control) {
  const auto position = engine_.publisher().position();
  const auto& matrix = engine_.views().matrix();
  MILLRACE_TRY(auto model,
               NeighbourModel::train(matrix, engine_.items().size(), position, control));
  const auto file = model.encode(matrix, engine_.items());
  MILLRACE_CHECK(write_model(options_.folder, file));
  auto result =
      result_of(file, [&](JsonWriter& out) { out.member("products", model.rows.size()); });
  const std::lock_guard lock(mutex_);
  neighbours_ = std::make_shared<const NeighbourModel>(std::move(model));
  return result;
}

Result<std::string> Trainer::train_linear(JobControl& control) {
  const auto position = engine_.publisher().position();
  MILLRACE_CHECK(engine_.commit_all());
  std::vector<const state::PartitionStore*> stores;
  for (std::uint16_t p = 0; p < engine_.partitions(); ++p) stores.push_back(&engine_.store(p));
  MILLRACE_TRY(auto model, LinearModel::train(stores, options_.linear, position, control));
  const auto file = model.encode(engine_.items());
  crash_point("training_solved");
  MILLRACE_CHECK(write_model(options_.folder, file));
  auto result = result_of(file, [&](JsonWriter& out) { out.member("items", model.items.size()); });
  keep(std::move(model));
  return result;
}

Result<std::string> Trainer::train_deep_learning(const DeepOptions& deep, JobControl& control) {
  const fs::path work = fs::path(options_.folder) / kWorkFolder;
  const fs::path checkpoint = work / "state", made = work / kSequenceModelName;
  std::error_code ignored;
  fs::remove_all(work, ignored);  // what a killed server left
  const auto trained = engine_.checkpoint(checkpoint.string()).and_then([&](const auto&) {
    return run_training(
        {options_.train_program, checkpoint.string(), made.string(), deep, options_.train_threads},
        control);
  });
  const auto file = trained ? read_model_from(made.string(), kSequenceModelName)
                            : tl::unexpected<Error>(trained.error());
  fs::remove_all(work, ignored);
  if (!file) return tl::unexpected<Error>(file.error());
  MILLRACE_TRY(auto model, SequenceModel::decode(*file, engine_.items()));
  MILLRACE_CHECK(write_model(options_.folder, *file));
  const auto items = model.ids.size();
  engine_.use(std::make_shared<const SequenceModel>(std::move(model)));
  return result_of(*file, [&](JsonWriter& out) {
    out.member("items", items);
    out.member("epochs", trained->epochs);
    out.member("best_epoch", trained->best_epoch);
    out.member("loss", trained->loss);
    out.member("ndcg", trained->ndcg);
  });
}

// A model is first trained when somebody asks for it, the neighbours' and the linear one when there
// is anything to learn from. By time only what has a log that went on since.
bool Trainer::due(ModelKind kind) {
  const auto categories = this->categories();
  const auto neighbours = this->neighbours();
  Times times;
  {
    const std::lock_guard lock(mutex_);
    times = times_[static_cast<std::size_t>(kind)];
  }
  if (times.wanted) return true;
  if (kind == ModelKind::kDeepLearning) return false;
  const auto& again = kind == ModelKind::kLinear ? options_.linear_again : options_.again;
  const bool by_time = clock_.now() >= again.next(times.trained);
  if (kind == ModelKind::kNeighbours) {
    if (!by_time || engine_.views().matrix().cells({}, 1).empty()) return false;
    return !neighbours || neighbours->position != engine_.publisher().position();
  }
  if (kind == ModelKind::kLinear) {
    const auto linear = this->linear();
    if (!by_time || (linear && linear->position == engine_.publisher().position())) return false;
    const auto state = engine_.read({});
    return state && !state->lists->list(Metric::kTrending).empty();
  }
  if (!categories) return false;
  const auto view = engine_.catalog().view();
  Position position;
  if (view->offset() > 0) position.include(kCatalogPartition, view->offset() - 1);
  if (position == categories->position) return false;
  if (by_time) return true;
  if (options_.change <= 0 || std::exchange(looked_at_, view->offset()) == view->offset()) {
    return false;
  }
  return categories->changed(count_categories(*view, engine_.names())) >= options_.change;
}

void Trainer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const ModelKind kind : kAll) {
      if (!due(kind)) continue;
      const auto job = train(kind);
      if (!job) log_warn("a training is put off: " + job.error().detail);
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, std::chrono::milliseconds(options_.look_ms),
                      [] { return false; });
  }
}

}  // namespace millrace::processors
