#include "state/datasets.h"

#include <algorithm>
#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

constexpr const char* kDatasets = ":dataset";  // kind of CatalogNumbers

std::string row_of(const KeptDataset& kept) {
  proto::DatasetRow row;
  row.set_name(kept.dataset.name);
  row.set_type(static_cast<std::uint32_t>(kept.dataset.type));
  row.set_checksum(kept.dataset.checksum);
  row.set_bytes(kept.dataset.bytes);
  row.set_rows(kept.dataset.rows);
  row.set_rejected(kept.dataset.rejected);
  row.set_created_ms(kept.created);
  return row.SerializeAsString();
}

}  // namespace

CommandVerdict Datasets::apply(const PutDataset& put, UnixMillis log_time) {
  const auto same = std::find_if(now_->begin(), now_->end(), [&](const auto& one) {
    return one.second.dataset.type == put.dataset.type &&
           one.second.dataset.checksum == put.dataset.checksum;
  });
  const bool fresh = same == now_->end();
  if (fresh && now_->size() >= kMaxDatasets) return {CommandOutcome::kFull};
  const auto id = fresh ? numbers_.mint(kDatasets) : same->first;
  const KeptDataset kept{put.dataset, fresh ? log_time : same->second.created};
  rows_.put(keys::of(keys::kDataset, id), row_of(kept));
  auto all = *now_;
  all[id] = kept;
  now_ = std::make_shared<const DatasetsView>(std::move(all));
  return {fresh ? CommandOutcome::kCreated : CommandOutcome::kReplaced, id};
}

CommandVerdict Datasets::apply(const DeleteDataset& gone) {
  auto all = *now_;
  if (all.erase(gone.id) == 0) return {CommandOutcome::kNotFound};
  now_ = std::make_shared<const DatasetsView>(std::move(all));
  rows_.erase(keys::of(keys::kDataset, gone.id));
  return {CommandOutcome::kDeleted, gone.id};
}

Status Datasets::restore(std::string_view key, std::string_view row) {
  proto::DatasetRow message;
  if (!message.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return fail(Code::kCorrupt, "a dataset's row is not what was written");
  }
  auto all = *now_;
  all[keys::from_big_endian(key.substr(1))] = {
      {message.name(), static_cast<DatasetType>(message.type()), message.checksum(),
       message.bytes(), message.rows(), message.rejected()},
      message.created_ms()};
  now_ = std::make_shared<const DatasetsView>(std::move(all));
  return {};
}

}  // namespace millrace::state
