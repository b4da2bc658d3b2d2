#include "tests/simulation/model.h"

#include <algorithm>
#include <variant>

#include "schemas/interaction_table.h"
#include "schemas/record.h"

namespace millrace::simulation {

EventKey key_of(const std::string& user, const std::string& id) { return user + '\n' + id; }

PartitionModel::PartitionModel(const std::vector<ingest::StoredRecord>& records, Offset end) {
  UnixMillis log_time = 0;
  for (Offset at = 0; at < end; ++at) {
    const auto& record = records[static_cast<std::size_t>(at)];
    log_time = std::max(log_time, record.append_time);
    const auto decoded = decode_log_record(record.bytes);
    if (!decoded) {
      bury(at, {});
    } else if (const auto* interaction = std::get_if<Interaction>(&*decoded)) {
      apply(*interaction, at, log_time);
    } else if (const auto* ruleset = std::get_if<Ruleset>(&*decoded)) {
      apply(*ruleset, log_time);
    } else if (const auto* demand = std::get_if<EraseUser>(&*decoded)) {
      apply(*demand);
    }
  }
}

bool PartitionModel::seen(const EventKey& key, UnixMillis now) const {
  const auto inside = std::min<std::size_t>(window_.size(), ruleset_.dedupe_ids);
  return std::any_of(window_.end() - static_cast<std::ptrdiff_t>(inside), window_.end(),
                     [&](const Seen& seen) {
                       return seen.key == key && now - seen.log_time <= ruleset_.dedupe_ms;
                     });
}

void PartitionModel::apply(const Interaction& interaction, Offset offset, UnixMillis log_time) {
  const auto& event = interaction.event;
  const auto key = key_of(event.user.value, event.id);
  heard_.insert(key);
  if (seen(key, log_time)) return;
  window_.push_back({key, log_time});
  narrow_ |= window_.size() > ruleset_.dedupe_ids ||
             log_time - window_.front().log_time > ruleset_.dedupe_ms;
  const auto type = std::find_if(ruleset_.types.begin(), ruleset_.types.end(), [&](const auto& t) {
    return t.number == interaction.type_number;
  });
  if (type == ruleset_.types.end()) return bury(offset, event.user.value);
  ++counted_[key];
  histories_[event.user.value].push_back(offset);
  const double value = static_cast<double>(event.value_centi.value_or(0)) / 100;
  oracle_.apply({event.id, event.user.value, event.item.value, type->name, value});
}

// What a narrower window has let go, a wider one does not take back.
void PartitionModel::apply(const Ruleset& ruleset, UnixMillis log_time) {
  while (window_.size() > ruleset_.dedupe_ids ||
         (!window_.empty() && log_time - window_.front().log_time > ruleset_.dedupe_ms)) {
    window_.pop_front();
    narrow_ = true;
  }
  forgets_ |= ruleset.history_retention_ms != 0;
  ruleset_ = ruleset;
}

void PartitionModel::apply(const EraseUser& demand) {
  if (demand.catalog_offset <= carried_) return;
  carried_ = demand.catalog_offset;
  oracle_.erase(demand.user.value);
  histories_.erase(demand.user.value);
  std::erase_if(dead_letters_, [&](const auto& at) { return at.second == demand.user.value; });
}

std::vector<Offset> PartitionModel::history(const std::string& user) const {
  const auto found = histories_.find(user);
  return found == histories_.end() ? std::vector<Offset>() : found->second;
}

std::map<std::string, state::CommandOutcome> sign_up_outcomes(
    const std::vector<ingest::StoredRecord>& catalog, Offset end) {
  std::map<std::string, state::CommandOutcome> outcomes;
  std::set<std::string> names, addresses;
  for (Offset at = 0; at < end; ++at) {
    const auto record = decode_catalog_record(catalog[static_cast<std::size_t>(at)].bytes);
    const auto* sign_up = record ? std::get_if<SignUp>(&record->change) : nullptr;
    if (sign_up == nullptr || outcomes.contains(record->command_id)) continue;
    auto& outcome = outcomes[record->command_id];
    if (names.contains(fold_name(sign_up->username))) {
      outcome = state::CommandOutcome::kNameTaken;
    } else if (addresses.contains(fold_name(sign_up->email))) {
      outcome = state::CommandOutcome::kEmailTaken;
    } else {
      outcome = state::CommandOutcome::kCreated;
      names.insert(fold_name(sign_up->username));
      addresses.insert(fold_name(sign_up->email));
    }
  }
  return outcomes;
}

}  // namespace millrace::simulation
