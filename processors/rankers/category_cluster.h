#pragma once
#include "processors/rankers/ranker.h"
#include "processors/training/category_model.h"

namespace millrace::processors {

// Products of exactly the category named, then those of the other categories in its cluster; both
// by how many people have dealt with them. Without a model, or one without clusters: the first
// alone. A query without a kind is about products.
Ranked rank_category(const Query& query, const ReadState& state, const std::string& category,
                     const CategoryModel* model);

}  // namespace millrace::processors
