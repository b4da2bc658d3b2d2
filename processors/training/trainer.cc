#include "processors/training/trainer.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "schemas/json_writer.h"

namespace millrace::processors {
namespace {

constexpr ModelKind kAll[] = {ModelKind::kCategories, ModelKind::kNeighbours};

template <class Field>
std::string result_of(const ModelFile& file, const char* of, const Field& number) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("model", file.name);
  out.member("position", file.position.text());
  out.member("checksum", file.checksum());
  out.member(of, number);
  out.end_object();
  return text;
}

}  // namespace

std::string_view model_name(ModelKind kind) {
  return kind == ModelKind::kCategories ? kCategoryModelName : kNeighbourModelName;
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

Status Trainer::load(ModelKind kind) {
  MILLRACE_TRY(const auto file, read_model(options_.folder, model_name(kind)));
  if (kind == ModelKind::kCategories) {
    MILLRACE_TRY(auto model, CategoryModel::decode(file));
    const std::lock_guard lock(mutex_);
    categories_ = std::make_shared<const CategoryModel>(std::move(model));
  } else {
    MILLRACE_TRY(auto model, NeighbourModel::decode(file, engine_.items()));
    const std::lock_guard lock(mutex_);
    neighbours_ = std::make_shared<const NeighbourModel>(std::move(model));
  }
  return {};
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

Result<Job> Trainer::train(ModelKind kind, Jobs::Done done) {
  auto work = [this, kind](JobControl& control) {
    auto result =
        kind == ModelKind::kCategories ? train_categories(control) : train_neighbours(control);
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
  auto result = result_of(file, "inertia", model.fit.inertia);
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
  auto result = result_of(file, "products", model.rows.size());
  const std::lock_guard lock(mutex_);
  neighbours_ = std::make_shared<const NeighbourModel>(std::move(model));
  return result;
}

// A model is first trained when somebody asks for it, the neighbours' when there are any. By time
// only what has a log that went on since.
bool Trainer::due(ModelKind kind) {
  const auto categories = this->categories();
  const auto neighbours = this->neighbours();
  Times times;
  {
    const std::lock_guard lock(mutex_);
    times = times_[static_cast<std::size_t>(kind)];
  }
  if (times.wanted) return true;
  const bool by_time = clock_.now() >= options_.again.next(times.trained);
  if (kind == ModelKind::kNeighbours) {
    if (!by_time || engine_.views().matrix().cells({}, 1).empty()) return false;
    return !neighbours || neighbours->position != engine_.publisher().position();
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
