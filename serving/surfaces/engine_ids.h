#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "schemas/ids.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "state/catalog_view.h"

namespace millrace::serving {

// How the recommendation engine's API names people and items.

// A positive integer, as its digits. kInvalid: "User ID must be a positive integer".
Result<UserId> numbered_user(std::string_view text);

// The item that a product_id stands for: an id that is no number as it is; the number N is
// `product:N`, or where the catalog has only another kind's N, that. Asks what this node's catalog
// has now: what it answers goes into the event, so that later answers change nothing. Unknown ones
// are accepted.
Result<ItemId> product_of(std::string_view product_id, const Deps& deps);

// The number of `kind:number`, else the whole id as text.
void append_product_id(JsonWriter& out, const state::CatalogItem& item);

}  // namespace millrace::serving
