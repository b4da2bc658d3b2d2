#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "processors/rankers/ranker.h"
#include "schemas/currency.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "serving/http/message.h"
#include "state/catalog_view.h"

namespace millrace::serving {

// What the handlers of stores, products and currencies share.

// The seed's own form of an answer: {"detail": …} and nothing else.
Reply detail_reply(int status, std::string_view detail);

// Stores and products with a number, that are not hidden. nullptr: there is none.
const state::CatalogItem* find_numbered(const Deps& deps, const state::CatalogView& catalog,
                                        const char* kind, std::uint64_t number);
bool is_numbered(const state::CatalogItem& item, std::string_view kind);
// All of a kind, in no particular order.
std::vector<const state::CatalogItem*> all_of(const state::CatalogView& catalog, const char* kind);

// `next` with the number of the store or product that {id} names, once the position that is asked
// for shows, or 404, which is said only behind the end of the catalog.
Answer with_numbered(const Request& request, const Deps& deps, const char* kind,
                     std::function<Answer(const state::CatalogItem&)> next);

// Whose command it is: 0 for keys and whoever else may do everything without an account.
AccountId asker(const Request& request);
// Whether the caller owns the store, or is an admin. `store` may be null: then it is nobody's.
bool may_change(const Caller& caller, const state::CatalogItem* store);
// The store of a product; null when it has none.
const state::CatalogItem* store_of(const state::CatalogItem& product,
                                   const state::CatalogView& catalog);

// A refusal that the log decided on; nothing: it was done. `adding`: a product to a store.
std::optional<Reply> refusal(const state::CommandVerdict& verdict, bool adding);
Reply only_owners(bool adding);  // 403

void append_store(JsonWriter& out, const state::CatalogItem& store,
                  const state::AccountsView& accounts);
// `rate`: of the currency asked for; nothing: the one that prices are in.
void append_product(JsonWriter& out, const state::CatalogItem& product,
                    const processors::ReadState& read, const std::optional<Rate>& rate);

// ?currency=; kInvalid for one that has no rate.
Result<std::optional<Rate>> rate_param(const Request& request, const Deps& deps);

}  // namespace millrace::serving
