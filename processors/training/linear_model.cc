#include "processors/training/linear_model.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <utility>

#include "processors/views/positives.h"
#include "schemas/proto/models.pb.h"

namespace millrace::processors {
namespace {

using Matrix = Eigen::MatrixXd;
using Index = Eigen::Index;

constexpr Index kBlock = 128;       // columns of the inverse at a time
constexpr float kRound = 12.0F;     // 1.5 * 2^3: adding it to a float rounds to 2^-20 below 4
constexpr double kGramShare = 0.2;  // of the way, for those who watch
constexpr double kFactorShare = 0.5;

// The lower half of the inverse of a symmetric positive definite matrix, of which the lower half is
// given, in its place: n^3 steps. With A = L L', the inverse's rows and columns from k on rest on
// L's from k on alone, so that a block of columns of L is free once its own of the inverse is made.
Status invert(Eigen::Map<Matrix>& matrix, JobControl& control) {
  const Eigen::LLT<Eigen::Ref<Matrix>> factor(matrix);
  // Decayed pairs alone need not be positive definite; with lambda they are in practice.
  if (factor.info() != Eigen::Success) {
    return fail(Code::kInvalid, "the matrix cannot be factored: lambda is too small for the decay");
  }
  const Index n = matrix.rows();
  for (Index first = 0; first < n; first += kBlock) {
    if (control.cancelled()) return fail(Code::kUnavailable, "cancelled");
    control.progress(kFactorShare +
                     (1 - kFactorShare) * static_cast<double>(first) / static_cast<double>(n));
    const Index width = std::min(kBlock, n - first), rest = n - first;
    Matrix block = Matrix::Identity(rest, width);
    const auto lower = matrix.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>();
    lower.solveInPlace(block);
    lower.transpose().solveInPlace(block);
    matrix.block(first, first, rest, width) = block;
  }
  return {};
}

// One column of B, cut: its largest weights.
void cut_column(std::span<const double> column, std::uint32_t target, std::size_t keep,
                std::vector<std::pair<std::uint32_t, LinearModel::Weight>>& out) {
  std::vector<std::pair<float, std::uint32_t>> found;
  const double scale = -1 / column[target];
  for (std::uint32_t source = 0; source < column.size(); ++source) {
    const auto raw = static_cast<float>(column[source] * scale);
    const float weight = (raw + kRound) - kRound;
    if (source != target && weight != 0) found.emplace_back(weight, source);
  }
  if (keep != 0 && found.size() > keep) {
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(keep), found.end(),
                     [](const auto& a, const auto& b) {
                       const float x = std::abs(a.first), y = std::abs(b.first);
                       return x != y ? x > y : a.second < b.second;
                     });
    found.resize(keep);
  }
  for (const auto& [weight, source] : found) out.push_back({source, {target, weight}});
}

// Entries (source, weight) as rows by source, targets ascending.
void gather_rows(std::vector<std::pair<std::uint32_t, LinearModel::Weight>> entries,
                 LinearModel& model) {
  model.row_ends.assign(model.items.size(), 0);
  for (const auto& [source, weight] : entries) ++model.row_ends[source];
  std::vector<std::uint32_t> next(model.items.size());
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < model.row_ends.size(); ++i) {
    next[i] = end;
    end = model.row_ends[i] += end;
  }
  model.weights.resize(entries.size());
  for (const auto& [source, weight] : entries) model.weights[next[source]++] = weight;
}

void find_places(LinearModel& model) {
  for (std::size_t i = 0; i < model.items.size(); ++i) {
    model.place.emplace(model.items[i], static_cast<std::uint32_t>(i));
  }
}

// Calls visit(positives, oldest first) for everybody.
Status for_each_person(std::span<const state::PartitionStore* const> stores,
                       const JobControl& control,
                       const std::function<void(std::span<const state::ItemIndex>)>& visit) {
  std::vector<state::ItemIndex> items;
  for (const auto* store : stores) {
    const auto index_of = [store](state::ItemNumber number) { return store->index_of(number); };
    MILLRACE_CHECK(store->for_each_person([&](std::string_view, const state::Person& person) {
      items.clear();
      for (const Positive& positive : positives_of(person, index_of))
        items.push_back(positive.item);
      visit(items);
      return !control.cancelled();
    }));
    if (control.cancelled()) return fail(Code::kUnavailable, "cancelled");
  }
  return {};
}

// The items that most people took to, ascending.
std::vector<state::ItemIndex> choose_items(
    const std::unordered_map<state::ItemIndex, std::uint32_t>& people,
    const LinearOptions& options) {
  std::vector<std::pair<std::uint32_t, state::ItemIndex>> ordered;
  for (const auto& [item, count] : people) ordered.emplace_back(count, item);
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  const auto fit =
      static_cast<std::size_t>(std::sqrt(static_cast<double>(options.max_bytes) / sizeof(double)));
  ordered.resize(std::min({ordered.size(), options.max_items, fit}));
  std::vector<state::ItemIndex> items;
  for (const auto& [count, item] : ordered) items.push_back(item);
  std::sort(items.begin(), items.end());
  return items;
}

}  // namespace

Result<ItemGram> gram_of(std::span<const state::PartitionStore* const> stores,
                         const LinearOptions& options, JobControl& control) {
  std::unordered_map<state::ItemIndex, std::uint32_t> people;
  MILLRACE_CHECK(for_each_person(stores, control, [&](auto items) {
    for (const auto item : items) ++people[item];
  }));
  ItemGram gram(choose_items(people, options), options.decay);
  MILLRACE_CHECK(for_each_person(stores, control, [&](auto items) { gram.add(items); }));
  control.progress(kGramShare);
  return gram;
}

Result<LinearModel> LinearModel::train(std::span<const state::PartitionStore* const> stores,
                                       const LinearOptions& options, const Position& position,
                                       JobControl& control) {
  MILLRACE_TRY(auto gram, gram_of(stores, options, control));
  MILLRACE_TRY(auto model, solve(std::move(gram), options, control));
  model.position = position;
  return model;
}

Result<LinearModel> LinearModel::solve(ItemGram gram, const LinearOptions& options,
                                       JobControl& control) {
  LinearModel model;
  model.items = gram.items();
  find_places(model);
  auto cells = std::move(gram).take_lower();
  const auto n = static_cast<Index>(model.items.size());
  Eigen::Map<Matrix> matrix(cells.data(), n, n);
  matrix /= ItemGram::kUnit;
  matrix.diagonal().array() += options.lambda;
  MILLRACE_CHECK(invert(matrix, control));
  std::vector<std::pair<std::uint32_t, Weight>> entries;
  std::vector<double> column(model.items.size());
  for (Index target = 0; target < n; ++target) {
    for (Index i = 0; i < n; ++i) {
      column[static_cast<std::size_t>(i)] = i < target ? matrix(target, i) : matrix(i, target);
    }
    cut_column(column, static_cast<std::uint32_t>(target), options.sources, entries);
  }
  gather_rows(std::move(entries), model);
  return model;
}

ModelFile LinearModel::encode(const state::NameTable& names) const {
  proto::LinearModel message;
  for (const auto item : items) message.add_items(std::string(names.name(item)));
  message.mutable_row_ends()->Add(row_ends.begin(), row_ends.end());
  message.mutable_targets()->Reserve(static_cast<int>(weights.size()));
  message.mutable_weights()->Reserve(static_cast<int>(weights.size()));
  for (const Weight& weight : weights) {
    message.add_targets(weight.target);
    message.add_weights(weight.weight);
  }
  return {std::string(kLinearModelName), position, message.SerializeAsString()};
}

Result<LinearModel> LinearModel::decode(const ModelFile& file, const state::NameTable& names) {
  proto::LinearModel message;
  const bool sound =
      message.ParseFromString(file.model) && message.row_ends_size() == message.items_size() &&
      message.targets_size() == message.weights_size() &&
      std::is_sorted(message.row_ends().begin(), message.row_ends().end()) &&
      (message.items().empty() ||
       static_cast<int>(*message.row_ends().rbegin()) == message.weights_size()) &&
      std::all_of(message.targets().begin(), message.targets().end(), [&](std::uint32_t target) {
        return target < static_cast<std::uint32_t>(message.items_size());
      });
  if (!sound) return fail(Code::kCorrupt, "the model " + file.name + " contradicts itself");
  LinearModel model;
  model.position = file.position;
  for (const auto& id : message.items()) {
    model.items.push_back(names.find(id).value_or(state::kNoItem));
  }
  find_places(model);
  model.place.erase(state::kNoItem);
  model.row_ends.assign(message.row_ends().begin(), message.row_ends().end());
  for (int i = 0; i < message.weights_size(); ++i) {
    model.weights.push_back({message.targets(i), message.weights(i)});
  }
  return model;
}

std::span<const LinearModel::Weight> LinearModel::row(std::uint32_t source) const {
  const std::uint32_t begin = source == 0 ? 0 : row_ends[source - 1];
  return std::span(weights).subspan(begin, row_ends[source] - begin);
}

}  // namespace millrace::processors
