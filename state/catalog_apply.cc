#include <algorithm>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/state.pb.h"
#include "schemas/record.h"
#include "state/catalog_keys.h"
#include "state/catalog_store_impl.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::string kind_of_id(std::string_view id) {
  const std::size_t colon = id.find(':');
  return std::string(colon == std::string_view::npos ? std::string_view{} : id.substr(0, colon));
}

}  // namespace

void CatalogStore::Impl::put_fact(std::string key, std::string value) {
  const Digest digest = row_digest(key, value);
  if (Digest& kept = fact_digests[key]; !(kept == digest)) {
    sum -= kept;
    sum += digest;
    kept = digest;
  }
  working[std::move(key)] = std::move(value);
}

void CatalogStore::Impl::erase_fact(const std::string& key) {
  const auto kept = fact_digests.find(key);
  if (kept == fact_digests.end()) return;
  sum -= kept->second;
  fact_digests.erase(kept);
  working[key] = std::nullopt;
}

void CatalogStore::Impl::raise_highest(const ItemId& id) {
  const std::uint64_t number = natural_of(id.value);
  if (number == UINT64_MAX) return;
  std::string kind = kind_of_id(id.value);
  {
    const std::lock_guard lock(mutex);
    std::uint64_t& top = highest[kind];
    if (number <= top) return;
    top = number;
  }
  put_fact(keys::of(keys::kHighest, kind), keys::big_endian(number));
}

CommandOutcome CatalogStore::Impl::put_item(Offset offset, UnixMillis log_time, const Item& item) {
  const auto known = item_names.find(item.id.value);
  const bool replaced = known && builder.find(*known) != nullptr;
  const ItemIndex index = builder.put(item, log_time, offset);
  proto::CatalogItemRow row;
  row.set_item(encode(item));
  row.set_first_put_ms(builder.find(index)->first_put);
  row.set_changed(offset);
  put_fact(keys::of(keys::kItem, item.id.value), row.SerializeAsString());
  raise_highest(item.id);
  touched.insert(index);
  return replaced ? CommandOutcome::kReplaced : CommandOutcome::kCreated;
}

CommandOutcome CatalogStore::Impl::delete_item(Offset offset, const ItemId& id) {
  const auto index = item_names.find(id.value);
  if (!index || !builder.erase(*index, offset)) return CommandOutcome::kNotFound;
  erase_fact(keys::of(keys::kItem, id.value));
  touched.insert(*index);
  return CommandOutcome::kDeleted;
}

CommandOutcome CatalogStore::Impl::demand(Offset offset, const UserId& user) {
  std::string key = keys::of(keys::kDemand, static_cast<std::uint64_t>(offset));
  sum += row_digest(key, user.value);
  working[std::move(key)] = user.value;
  const std::lock_guard lock(mutex);
  demands.push_back({offset, user});
  return CommandOutcome::kAccepted;
}

CommandOutcome CatalogStore::Impl::change(Offset offset, UnixMillis log_time,
                                          const CatalogRecord& record) {
  if (const auto* item = std::get_if<Item>(&record.change)) {
    return put_item(offset, log_time, *item);
  }
  if (const auto* gone = std::get_if<DeleteItem>(&record.change)) {
    return delete_item(offset, gone->id);
  }
  return demand(offset, std::get<DemandErase>(record.change).user);
}

void CatalogStore::Impl::remember(std::string_view command_id, CommandOutcome outcome) {
  const auto hash = CommandOutcomes::hash(command_id);
  const std::lock_guard lock(mutex);
  const std::uint64_t oldest = outcomes.first();
  std::string value(hash.begin(), hash.end());
  value += static_cast<char>(outcome);
  working[keys::of(keys::kOutcome, outcomes.next())] = std::move(value);
  outcomes.add(hash, outcome);
  if (outcomes.first() != oldest) working[keys::of(keys::kOutcome, oldest)] = std::nullopt;
}

void CatalogStore::Impl::refuse(Offset offset, UnixMillis log_time, std::string_view record,
                                const Error& why) {
  proto::DeadLetter letter;
  letter.set_offset(offset);
  letter.set_log_time_ms(log_time);
  letter.set_reason(why.detail);
  letter.set_record(std::string(record));
  working[keys::of(keys::kDeadLetter, static_cast<std::uint64_t>(offset))] =
      letter.SerializeAsString();
  dead.inc();
}

void CatalogStore::apply(Offset offset, UnixMillis log_time, std::string_view record) {
  Impl& im = *impl_;
  if (offset < im.progress.next_offset) return;
  im.progress = {offset + 1, XXH3_64bits(record.data(), record.size()),
                 std::max(im.progress.log_time, log_time)};
  im.records.inc();
  const auto decoded = decode_catalog_record(record);
  if (!decoded) {
    im.refuse(offset, log_time, record, decoded.error());
    return;
  }
  const bool named = !decoded->command_id.empty();
  if (named && outcome(decoded->command_id)) return;
  const CommandOutcome came_to = im.change(offset, log_time, *decoded);
  if (named) im.remember(decoded->command_id, came_to);
}

std::vector<ItemIndex> CatalogStore::publish() {
  Impl& im = *impl_;
  if (im.progress.next_offset == im.published.next_offset) return {};
  auto view = im.builder.build(im.progress.next_offset);
  for (auto& [key, value] : im.working) im.ready[key] = std::move(value);
  im.working.clear();
  im.ready_sum = im.sum;
  im.item_gauge.set(static_cast<double>(view->items()));
  std::vector<ItemIndex> touched(im.touched.begin(), im.touched.end());
  im.touched.clear();
  const std::lock_guard lock(im.mutex);
  im.view.swap(view);
  im.published = im.progress;
  im.memory = im.builder.memory_bytes();
  return touched;
}

std::string CatalogStore::Impl::applied_row() const {
  proto::CatalogApplied applied;
  applied.set_next_offset(published.next_offset);
  applied.set_last_record_hash(published.last_record_hash);
  applied.set_log_time_ms(published.log_time);
  applied.set_features_changed(view->features_changed());
  applied.set_added(view->added());
  applied.set_digest(ready_sum.bytes());
  return applied.SerializeAsString();
}

Status CatalogStore::commit() {
  Impl& im = *impl_;
  WriteBatch batch;
  for (const auto& [key, value] : im.ready) {
    if (value) {
      batch.put(key, *value);
    } else {
      batch.erase(key);
    }
  }
  batch.put(keys::of(keys::kApplied), im.applied_row());
  MILLRACE_CHECK(im.db->write(batch));
  im.ready.clear();
  const std::lock_guard lock(im.mutex);
  im.committed_sum = im.ready_sum;
  return {};
}

}  // namespace millrace::state
