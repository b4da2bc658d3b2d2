#include "processors/training/category_model.h"

#include <algorithm>
#include <cmath>

#include "processors/views/interaction_matrix.h"
#include "schemas/proto/models.pb.h"

namespace millrace::processors {
namespace {

template <class Field, class Values>
void put(Field* field, const Values& values) {
  field->Reserve(static_cast<int>(values.size()));
  for (const auto& value : values) *field->Add() = value;
}

}  // namespace

CategoryCounts count_categories(const state::CatalogView& catalog,
                                const state::CatalogNames& names) {
  CategoryCounts counts;
  const auto kind = names.kinds.find(kProductKind);
  if (!kind) return counts;
  std::vector<std::uint32_t> by_name;
  catalog.for_each(0, [&](const state::CatalogItem& item) {
    if (item.kind != *kind || item.item.hidden) return true;
    for (const std::uint32_t category : item.categories) {
      if (category >= by_name.size()) by_name.resize(category + std::size_t{1});
      ++by_name[category];
    }
    return true;
  });
  for (std::uint32_t i = 0; i < by_name.size(); ++i) {
    if (by_name[i] > 0) counts.emplace(names.categories.name(i), by_name[i]);
  }
  return counts;
}

Result<CategoryModel> CategoryModel::train(const state::CatalogView& catalog,
                                           const state::CatalogNames& names, std::uint32_t clusters,
                                           JobControl& control) {
  CategoryModel model;
  if (catalog.offset() > 0) model.position.include(kCatalogPartition, catalog.offset() - 1);
  for (const auto& [name, products] : count_categories(catalog, names)) {
    model.categories.push_back(name);
    model.products.push_back(products);
  }
  model.tfidf = TfIdf::fit(model.categories, model.products);
  if (model.tfidf.words.size() * std::min<std::size_t>(clusters, model.categories.size()) >
      kMaxCells) {
    return fail(Code::kTooLarge,
                "the categories have " + std::to_string(model.tfidf.words.size()) +
                    " words: clusters times words must be at most " + std::to_string(kMaxCells),
                "models.clusters");
  }
  std::vector<SparseRow> rows;
  for (const auto& category : model.categories) rows.push_back(model.tfidf.transform(category));
  control.progress(0.1);
  KMeansOptions options;
  options.clusters = clusters;
  auto fit = fit_kmeans(rows, model.products, model.tfidf.words.size(), options,
                        [&control] { return control.cancelled(); });
  if (!fit) return fail(Code::kUnavailable, "cancelled");
  model.fit = *std::move(fit);
  return model;
}

ModelFile CategoryModel::encode() const {
  proto::CategoryModel message;
  put(message.mutable_words(), tfidf.words);
  put(message.mutable_idf(), tfidf.idf);
  message.set_clusters(fit.clusters);
  put(message.mutable_centres(), fit.centres);
  put(message.mutable_categories(), categories);
  put(message.mutable_products(), products);
  put(message.mutable_labels(), fit.labels);
  message.set_inertia(fit.inertia);
  return {std::string(kCategoryModelName), position, message.SerializeAsString()};
}

Result<CategoryModel> CategoryModel::decode(const ModelFile& file) {
  proto::CategoryModel message;
  const auto words = [&] { return static_cast<std::size_t>(message.words_size()); };
  const bool sound =
      message.ParseFromString(file.model) && message.idf_size() == message.words_size() &&
      static_cast<std::size_t>(message.centres_size()) == message.clusters() * words() &&
      message.products_size() == message.categories_size() &&
      message.labels_size() == message.categories_size() &&
      std::all_of(message.labels().begin(), message.labels().end(),
                  [&](std::uint32_t label) { return label < message.clusters(); });
  if (!sound) return fail(Code::kCorrupt, "the model " + file.name + " contradicts itself");
  CategoryModel model;
  model.position = file.position;
  model.tfidf.words.assign(message.words().begin(), message.words().end());
  model.tfidf.idf.assign(message.idf().begin(), message.idf().end());
  model.fit.clusters = message.clusters();
  model.fit.columns = words();
  model.fit.centres.assign(message.centres().begin(), message.centres().end());
  model.fit.labels.assign(message.labels().begin(), message.labels().end());
  model.fit.inertia = message.inertia();
  model.categories.assign(message.categories().begin(), message.categories().end());
  model.products.assign(message.products().begin(), message.products().end());
  return model;
}

std::optional<std::uint32_t> CategoryModel::cluster_of(std::string_view category) const {
  if (fit.clusters == 0) return std::nullopt;
  const auto known = std::lower_bound(categories.begin(), categories.end(), category);
  if (known != categories.end() && *known == category) {
    return fit.labels[static_cast<std::size_t>(known - categories.begin())];
  }
  return fit.nearest(tfidf.transform(category));
}

double CategoryModel::changed(const CategoryCounts& now) const {
  double difference = 0, before = 0;
  CategoryCounts left = now;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const auto found = left.find(categories[i]);
    const double products_now = found == left.end() ? 0 : found->second;
    before += products[i];
    difference += std::abs(products_now - products[i]);
    if (found != left.end()) left.erase(found);
  }
  for (const auto& [name, count] : left) difference += count;
  if (difference == 0) return 0;
  return before == 0 ? 1 : std::min(1.0, difference / before);
}

}  // namespace millrace::processors
