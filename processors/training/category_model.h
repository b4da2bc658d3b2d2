#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "processors/training/jobs.h"
#include "processors/training/kmeans.h"
#include "processors/training/model_file.h"
#include "processors/training/tfidf.h"
#include "state/catalog_view.h"

namespace millrace::processors {

// How many products have each category, by its name; a product counts in each that it has.
using CategoryCounts = std::map<std::string, std::uint32_t>;
CategoryCounts count_categories(const state::CatalogView& catalog,
                                const state::CatalogNames& names);

// The products' categories in clusters: TF-IDF over their names, then K-means, each name weighing
// as many products as it has, which is the same as a row a product. Immutable.
struct CategoryModel {
  TfIdf tfidf;
  KMeansFit fit;                        // its labels are those of `categories`
  std::vector<std::string> categories;  // ascending
  std::vector<std::uint32_t> products;  // of each
  Position position;                    // of the catalog

  // Bound on clusters * words: a model takes 8 bytes for each.
  static constexpr std::size_t kMaxCells = 10'000'000;

  // Of the catalog at its offset alone: on every node the same. kTooLarge: more than kMaxCells;
  // kUnavailable: cancelled.
  static Result<CategoryModel> train(const state::CatalogView& catalog,
                                     const state::CatalogNames& names, std::uint32_t clusters,
                                     JobControl& control);
  ModelFile encode() const;
  static Result<CategoryModel> decode(const ModelFile& file);

  // The cluster of a category, of one that is new that of the nearest centre. Nothing when there
  // are no clusters.
  std::optional<std::uint32_t> cluster_of(std::string_view category) const;
  // The share of the products that have since come, gone or moved, up to 1.
  double changed(const CategoryCounts& now) const;
};

}  // namespace millrace::processors
