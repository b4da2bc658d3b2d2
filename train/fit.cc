#include "train/fit.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "train/fit_state.h"
#include "train/net.h"

namespace millrace::train {
namespace {

using Row = std::uint32_t;

// Part of one person's sequence: each of its items but the first is foretold from those before it.
struct Window {
  const Row* begin = nullptr;
  std::size_t size = 0;
};

constexpr std::size_t kMostHeldOut = 20'000;  // people that validation looks at
constexpr std::size_t kTop = 10;

torch::Tensor genre_matrix(const Sequences& data) {
  auto out = torch::zeros(
      {static_cast<std::int64_t>(data.items.size()), std::max<std::int64_t>(data.genre_count, 1)});
  auto cells = out.accessor<float, 2>();
  for (std::size_t i = 0; i < data.items.size(); ++i) {
    for (const auto genre : data.genres[i]) {
      cells[static_cast<std::int64_t>(i)][genre] = 1.0f / static_cast<float>(data.genres[i].size());
    }
  }
  return out;
}

// Where an item's bias starts: the logarithm of how often it is foretold.
torch::Tensor first_bias(const Sequences& data) {
  auto counts = torch::ones({static_cast<std::int64_t>(data.items.size())});
  auto cells = counts.accessor<float, 1>();
  for (const auto& person : data.people) {
    for (std::size_t i = 0; i + 1 < person.liked.size(); ++i) cells[person.liked[i]] += 1;
  }
  return counts.log() - counts.log().mean();
}

// Each sequence without its last item in windows that share one item, so that every other item is
// foretold once; where the first of a long one ends differs from epoch to epoch.
std::vector<Window> windows_of(const Sequences& data, std::size_t length, std::mt19937_64& random) {
  std::vector<Window> out;
  for (const auto& person : data.people) {
    const auto* liked = person.liked.data();
    const std::size_t whole = person.liked.size() - 1;
    std::size_t end = whole > length + 1 ? 2 + random() % length : whole;
    std::size_t begin = 0;
    while (begin + 1 < whole) {
      out.push_back({liked + begin, end - begin});
      begin = end - 1;
      end = std::min(whole, end + length);
    }
  }
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[random() % i]);
  return out;
}

// Sequences padded with row 0, batch × time.
torch::Tensor padded(std::span<const Window> windows, std::size_t drop_last) {
  std::size_t longest = 1;
  for (const auto& window : windows) longest = std::max(longest, window.size - drop_last);
  auto out =
      torch::zeros({static_cast<std::int64_t>(windows.size()), static_cast<std::int64_t>(longest)},
                   torch::kLong);
  auto cells = out.accessor<std::int64_t, 2>();
  for (std::size_t w = 0; w < windows.size(); ++w) {
    for (std::size_t t = 0; t + drop_last < windows[w].size; ++t) {
      cells[static_cast<std::int64_t>(w)][static_cast<std::int64_t>(t)] = windows[w].begin[t];
    }
  }
  return out;
}

class Fit {
 public:
  Fit(const Sequences& data, const FitOptions& options, const FitEvents& events)
      : data_(data),
        options_(options),
        events_(events),
        net_(std::make_shared<Net>(shape_of(data, options), genre_matrix(data))),
        adam_(net_->parameters(), torch::optim::AdamOptions(options.deep.learning_rate)
                                      .weight_decay(options.weight_decay)) {
    const torch::NoGradGuard guard;
    net_->item_bias.copy_(first_bias(data));
  }

  Result<processors::SequenceModel> run();

 private:
  static NetShape shape_of(const Sequences& data, const FitOptions& options) {
    NetShape shape;
    shape.items = static_cast<std::int64_t>(data.items.size());
    shape.dim = options.deep.embedding_dim;
    shape.heads = options.heads;
    shape.hidden = 2 * shape.dim;
    shape.blocks = options.blocks;
    shape.length = options.length;
    shape.dropout = options.dropout;
    return shape;
  }
  double train_epoch(std::uint32_t number);
  torch::Tensor loss_of(std::span<const Window> windows, std::mt19937_64& random);
  std::pair<double, double> validate();
  processors::SequenceModel finish();

  const Sequences& data_;
  const FitOptions& options_;
  const FitEvents& events_;
  std::shared_ptr<Net> net_;
  torch::optim::Adam adam_;
  FitProgress progress_;
};

// Rows whose logits a softmax is over: all, or the batch's targets and a sample beside them.
torch::Tensor candidates_of(const torch::Tensor& targets, std::int64_t items, std::int64_t limit,
                            std::mt19937_64& random) {
  std::vector<std::int64_t> rows(targets.data_ptr<std::int64_t>(),
                                 targets.data_ptr<std::int64_t>() + targets.numel());
  for (std::int64_t i = 0; i < limit; ++i) {
    rows.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(items)));
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return torch::tensor(rows, torch::kLong);
}

torch::Tensor Fit::loss_of(std::span<const Window> windows, std::mt19937_64& random) {
  const auto vectors = net_->item_vectors();
  const auto inputs = padded(windows, 1);
  const auto points = net_->represent(vectors, inputs);
  // Of all places, those that have a next item; what a person has had by then cannot be it.
  std::vector<std::int64_t> places, targets, had_row, had_item;
  const auto time = inputs.size(1);
  for (std::size_t w = 0; w < windows.size(); ++w) {
    for (std::size_t t = 0; t + 1 < windows[w].size; ++t) {
      const auto row = static_cast<std::int64_t>(places.size());
      places.push_back(static_cast<std::int64_t>(w) * time + static_cast<std::int64_t>(t));
      targets.push_back(windows[w].begin[t + 1]);
      for (std::size_t s = 0; s <= t; ++s) {
        had_row.push_back(row);
        had_item.push_back(windows[w].begin[s]);
      }
    }
  }
  const auto shape = points.size(2);
  const auto chosen = points.reshape({-1, shape}).index_select(0, torch::tensor(places));
  auto target = torch::tensor(targets, torch::kLong);
  const auto items = vectors.size(0);
  if (items <= options_.candidates) {
    auto logits = torch::addmm(net_->item_bias, chosen, vectors.t());
    logits.index_put_({torch::tensor(had_row), torch::tensor(had_item)}, torch::full({}, -1e9));
    return torch::nn::functional::cross_entropy(logits, target);
  }
  const auto some = candidates_of(target, items, options_.candidates, random);
  const auto logits =
      chosen.mm(vectors.index_select(0, some).t()) + net_->item_bias.index_select(0, some);
  return torch::nn::functional::cross_entropy(logits, torch::searchsorted(some, target));
}

double Fit::train_epoch(std::uint32_t number) {
  std::mt19937_64 random(options_.deep.seed * 1'000'003 + number);
  torch::manual_seed(random());
  net_->train();
  const auto windows = windows_of(data_, options_.length, random);
  double sum = 0;
  std::size_t batches = 0;
  for (std::size_t at = 0; at < windows.size(); at += options_.batch) {
    if (events_.stopped()) return 0;
    const auto count = std::min<std::size_t>(options_.batch, windows.size() - at);
    adam_.zero_grad();
    auto loss = loss_of({windows.data() + at, count}, random);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(net_->parameters(), 5.0);
    adam_.step();
    sum += loss.item<double>();
    ++batches;
  }
  return sum / static_cast<double>(std::max<std::size_t>(batches, 1));
}

// Mean loss and NDCG@10 of people's last items, of what they have not had.
std::pair<double, double> Fit::validate() {
  const torch::NoGradGuard guard;
  net_->eval();
  const auto vectors = net_->item_vectors();
  const std::size_t step = data_.people.size() / kMostHeldOut + 1;
  double loss = 0, ndcg = 0;
  std::size_t people = 0;
  for (std::size_t p = 0; p < data_.people.size(); p += step) {
    const auto& person = data_.people[p].liked;
    if (person.size() < 2) continue;
    const auto had = std::span(person).first(person.size() - 1);
    const auto seen = had.last(std::min<std::size_t>(had.size(), options_.length));
    const Window window{seen.data(), seen.size()};
    const auto points = net_->represent(vectors, padded({&window, 1}, 0));
    const auto point = points[0][static_cast<std::int64_t>(seen.size()) - 1];
    auto logits = vectors.mv(point) + net_->item_bias;
    auto cells = logits.accessor<float, 1>();
    for (const auto row : had) cells[row] = -1e9f;
    const auto target = static_cast<std::int64_t>(person.back());
    loss += (logits.logsumexp(0) - logits[target]).item<double>();
    const auto above = (logits > logits[target]).sum().item<std::int64_t>();
    if (above < static_cast<std::int64_t>(kTop)) ndcg += 1 / std::log2(double(above) + 2);
    ++people;
  }
  return {loss / double(people), ndcg / double(people)};
}

processors::SequenceModel Fit::finish() {
  load_parameters(*net_, progress_.best);
  auto model = net_->export_model();
  model.ids = data_.items;
  model.position = data_.position;
  model.record = {progress_.best_epoch, options_.deep.seed, progress_.best_loss,
                  progress_.best_ndcg};
  return model;
}

Result<processors::SequenceModel> Fit::run() {
  const auto seconds = [](auto from) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  };
  progress_.key = key_of(data_, options_);
  if (!options_.state_file.empty() && load_state(options_.state_file, *net_, adam_, progress_)) {
    events_.note("going on behind epoch " + std::to_string(progress_.epoch));
  }
  while (progress_.epoch < options_.deep.epochs &&
         progress_.epoch - progress_.best_epoch < options_.patience) {
    const auto began = std::chrono::steady_clock::now();
    Epoch epoch;
    epoch.number = progress_.epoch + 1;
    epoch.loss = train_epoch(epoch.number);
    if (events_.stopped()) return fail(Code::kUnavailable, "stopped");
    if (!std::isfinite(epoch.loss)) {
      return fail(Code::kInvalid, "the loss became infinite: take a lower one", "learning_rate");
    }
    std::tie(epoch.validation_loss, epoch.ndcg) = validate();
    epoch.best = progress_.best_epoch == 0 || epoch.validation_loss < progress_.best_loss;
    if (epoch.best) {
      progress_.best = copy_parameters(*net_);
      progress_.best_epoch = epoch.number;
      progress_.best_loss = epoch.validation_loss;
      progress_.best_ndcg = epoch.ndcg;
    }
    progress_.epoch = epoch.number;
    epoch.seconds = seconds(began);
    if (!options_.state_file.empty()) {
      MILLRACE_CHECK(save_state(options_.state_file, *net_, adam_, progress_));
    }
    events_.epoch(epoch);
  }
  return finish();
}

// torch::set_num_threads does not reach an OpenBLAS with threads of its own: those spin, and where
// other work takes the cores an epoch takes ten times as long.
void set_threads(int threads) {
  torch::set_num_threads(threads);
  using SetThreads = void (*)(int);
  const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set != nullptr) set(threads);
}

}  // namespace

Result<processors::SequenceModel> fit(const Sequences& data, const FitOptions& options,
                                      const FitEvents& events) {
  const auto several = std::count_if(data.people.begin(), data.people.end(),
                                     [](const auto& person) { return person.liked.size() > 2; });
  if (several < 2) {
    return fail(Code::kInvalid, "a training needs two people at least who liked three items each");
  }
  set_threads(options.threads);
  torch::manual_seed(options.deep.seed);
  return Fit(data, options, events).run();
}

}  // namespace millrace::train
