#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/dataset.h"
#include "state/catalog_numbers.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

struct KeptDataset {
  Dataset dataset;
  UnixMillis created = 0;  // log time
};
// By number.
using DatasetsView = std::map<std::uint64_t, KeptDataset>;
inline constexpr std::size_t kMaxDatasets = 10'000;

// Applies what the catalog's log says of datasets. One thread.
class Datasets {
 public:
  Datasets(FactRows& rows, CatalogNumbers& numbers) : rows_(rows), numbers_(numbers) {}

  // kCreated, kReplaced, or kFull; with the dataset's number.
  CommandVerdict apply(const PutDataset& put, UnixMillis log_time);
  CommandVerdict apply(const DeleteDataset& gone);

  std::shared_ptr<const DatasetsView> view() const { return now_; }  // immutable
  Status restore(std::string_view key, std::string_view row);        // on opening; kCorrupt

 private:
  FactRows& rows_;
  CatalogNumbers& numbers_;
  std::shared_ptr<const DatasetsView> now_ = std::make_shared<const DatasetsView>();
};

}  // namespace millrace::state
