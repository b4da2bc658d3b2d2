#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "schemas/access.h"
#include "schemas/account.h"
#include "schemas/blend.h"
#include "schemas/currency.h"
#include "schemas/dataset.h"
#include "schemas/experiment.h"
#include "schemas/genre.h"
#include "schemas/item.h"
#include "schemas/ranking_rule.h"
#include "schemas/store.h"

namespace millrace {

using CatalogChange =
    std::variant<Item, DeleteItem, DemandErase, SignUp, ChangeAccount, CloseAccount, IssueToken,
                 RevokeToken, ReserveUsers, MintItem, PutGenre, DeleteGenre, BlockAddress,
                 UnblockAddress, Notice, PutStore, PutProduct, DeleteOwned, PutRate, DeleteRate,
                 PutExperiment, StopExperiment, PutDataset, DeleteDataset, DescribePerson, PutBlend,
                 MergePeople, PutRule, DeleteRule>;

// A record of the `catalog` log. `command_id` names the request that made it: a repeat has no
// effect. What people change of their own has no actor.
struct CatalogRecord {
  std::string command_id;
  CatalogChange change;
  std::optional<Actor> actor{};
  friend bool operator==(const CatalogRecord&, const CatalogRecord&) = default;
};

// The stored form (protobuf, schemas/proto/records.proto), and back. Decoding tolerates unknown
// fields of newer writers and answers kCorrupt for bytes that are no record.
std::string encode(const CatalogRecord& record);
Result<CatalogRecord> decode_catalog_record(std::string_view bytes);

// An item as the catalog's state keeps it.
std::string encode(const Item& item);
Result<Item> decode_item(std::string_view bytes);

}  // namespace millrace
