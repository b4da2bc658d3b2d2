#include "state/currencies.h"

#include <utility>

#include "state/catalog_keys.h"

namespace millrace::state {

namespace keys = catalog_keys;

CommandVerdict Currencies::apply(const PutRate& put) {
  auto rates = *now_;
  const bool fresh = rates.insert_or_assign(put.currency, put.rate).second;
  now_ = std::make_shared<const Rates>(std::move(rates));
  rows_.put(keys::of(keys::kRate, put.currency),
            std::to_string(put.rate.digits) + " " + put.rate.value);
  return {fresh ? CommandOutcome::kCreated : CommandOutcome::kReplaced};
}

CommandVerdict Currencies::apply(const DeleteRate& gone) {
  auto rates = *now_;
  if (rates.erase(gone.currency) == 0) return {CommandOutcome::kNotFound};
  now_ = std::make_shared<const Rates>(std::move(rates));
  rows_.erase(keys::of(keys::kRate, gone.currency));
  return {CommandOutcome::kDeleted};
}

Status Currencies::restore(std::string_view key, std::string_view row) {
  const bool parted = row.size() > 2 && row[0] >= '0' && row[0] <= '4' && row[1] == ' ';
  if (!parted || !check_currency(key.substr(1)) || !check_rate(row.substr(2))) {
    return fail(Code::kCorrupt, "a currency's row is not what was written");
  }
  auto rates = *now_;
  rates[std::string(key.substr(1))] = {std::string(row.substr(2)),
                                       static_cast<std::uint8_t>(row[0] - '0')};
  now_ = std::make_shared<const Rates>(std::move(rates));
  return {};
}

}  // namespace millrace::state
