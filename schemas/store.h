#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "schemas/account.h"
#include "schemas/ids.h"

namespace millrace {

// A store is the item `store:number` whose attribute `owner` is an account; a product is the item
// `product:number` whose parent is its store: title is the name, the one category its category, and
// the attributes are `description`, `quantity` (as last set) and `sold_before` (units sold when it
// was).
inline constexpr const char* kStoreKind = "store";
inline constexpr const char* kProductKind = "product";

// ---- Changes in the catalog's log. `by` asks for them: the log decides whether that account owns
// ---- the store, or is an admin, when their turn comes. 0: whoever may do everything.

// A new store of that owner when `id` is 0, else another name.
struct PutStore {
  std::uint64_t id = 0;
  AccountId by;
  std::string name;
  friend bool operator==(const PutStore&, const PutStore&) = default;
};

// A new product when `id` is 0. What is absent stays, or is empty. Without a store a new product
// goes into the owner's with the lowest number.
struct PutProduct {
  std::uint64_t id = 0;
  AccountId by;
  std::uint64_t store = 0;  // 0: not given
  std::optional<std::string> name{};
  std::optional<std::string> description{};
  std::optional<std::string> price{};
  std::optional<std::string> category{};
  std::optional<std::uint32_t> quantity{};
  std::uint64_t sold_before = 0;  // of this product, as whoever set the quantity saw it
  friend bool operator==(const PutProduct&, const PutProduct&) = default;
};

// A store, with its products, or a product.
struct DeleteOwned {
  ItemId id;
  AccountId by;
  friend bool operator==(const DeleteOwned&, const DeleteOwned&) = default;
};

}  // namespace millrace
