#include "serving/surfaces/store_surface.h"

#include <utility>

#include "schemas/json_value.h"
#include "schemas/store.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr const char* kNoStore =
    "No store available for this user. Admins must provide a store explicitly.";
constexpr const char* kNotTheirs = "Only store owners or Admins can add product to store.";

}  // namespace

Reply detail_reply(int status, std::string_view detail) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("detail", detail);
  out.end_object();
  return json_reply(std::move(body), status);
}

bool is_numbered(const state::CatalogItem& item, std::string_view kind) {
  const std::string_view id = item.item.id.value;
  return item.natural != UINT64_MAX && !item.item.hidden && item.item.kind == kind &&
         id.starts_with(kind) && id[kind.size()] == ':';
}

const state::CatalogItem* find_numbered(const Deps& deps, const state::CatalogView& catalog,
                                        const char* kind, std::uint64_t number) {
  const auto index = deps.engine->items().find(std::string(kind) + ":" + std::to_string(number));
  const auto* item = index ? catalog.find(*index) : nullptr;
  return item != nullptr && is_numbered(*item, kind) ? item : nullptr;
}

std::vector<const state::CatalogItem*> all_of(const state::CatalogView& catalog, const char* kind) {
  std::vector<const state::CatalogItem*> all;
  catalog.for_each(0, [&](const state::CatalogItem& item) {
    if (is_numbered(item, kind)) all.push_back(&item);
    return true;
  });
  return all;
}

Answer with_numbered(const Request& request, const Deps& deps, const char* kind,
                     std::function<Answer(const state::CatalogItem&)> next) {
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  const auto number = number_param(request).value_or(0);
  const auto answer = [deps, kind, number, next = std::move(next)]() -> Answer {
    const auto catalog = deps.engine->catalog().view();
    const auto* item = find_numbered(deps, *catalog, kind, number);
    if (item != nullptr) return next(*item);
    return problem({Code::kNotFound, "no " + std::string(kind) + " has this id", {}});
  };
  const bool known = find_numbered(deps, *deps.engine->catalog().view(), kind, number) != nullptr;
  return known ? after(deps, *position, answer) : behind_catalog(deps, *position, answer);
}

AccountId asker(const Request& request) { return request.caller.account; }

bool may_change(const Caller& caller, const state::CatalogItem* store) {
  if (caller.admin()) return true;
  return store != nullptr && caller.account.value != 0 && store->owner == caller.account;
}

const state::CatalogItem* store_of(const state::CatalogItem& product,
                                   const state::CatalogView& catalog) {
  const auto* store = catalog.find(product.parent);
  return store != nullptr && is_numbered(*store, kStoreKind) ? store : nullptr;
}

Reply only_owners(bool adding) {
  if (adding) return detail_reply(403, kNotTheirs);
  return problem({Code::kForbidden, "only the store's owner or an admin may do that", {}});
}

std::optional<Reply> refusal(const state::CommandVerdict& verdict, bool adding) {
  switch (verdict.outcome) {
    case CommandOutcome::kForbidden: return only_owners(adding);
    case CommandOutcome::kNoStore: return detail_reply(400, kNoStore);
    case CommandOutcome::kNoParent:
      return problem({Code::kInvalid, "no store has this id", "store_id"});
    case CommandOutcome::kParentLoop:
      return problem({Code::kInvalid, "must not be below the product itself", "store_id"});
    case CommandOutcome::kNotFound: return problem({Code::kNotFound, "there is no such thing", {}});
    default: return std::nullopt;
  }
}

void append_store(JsonWriter& out, const state::CatalogItem& store,
                  const state::AccountsView& accounts) {
  const auto* owner = accounts.find(store.owner);
  out.begin_object();
  out.member("id", store.natural);
  out.member("name", store.item.title);
  out.key("owner");
  if (owner == nullptr) {
    out.value(nullptr);
  } else {
    out.value(owner->username);
  }
  out.end_object();
}

void append_product(JsonWriter& out, const state::CatalogItem& product,
                    const processors::ReadState& read, const std::optional<Rate>& rate) {
  const auto attributes = parse_json(product.item.attributes);
  const Json* description = attributes ? attributes->find("description") : nullptr;
  const auto& price = product.item.price;
  const auto left = read.left(product);
  const auto* store = store_of(product, *read.catalog);
  const auto value_or_null = [&out](const char* name, bool there, const auto& value) {
    out.key(name);
    if (there) {
      out.value(value);
    } else {
      out.value(nullptr);
    }
  };
  out.begin_object();
  out.member("id", product.natural);
  out.member("name", product.item.title);
  const bool text = description != nullptr && description->kind == JsonKind::kString;
  out.member("description", text ? description->text : std::string());
  value_or_null("price", !price.empty(), price);
  value_or_null("quantity", left.has_value(), left.value_or(0));
  const auto& categories = product.item.categories;
  out.member("category", categories.empty() ? std::string() : categories.front());
  value_or_null("store", store != nullptr, store == nullptr ? 0 : store->natural);
  out.member("views_count", read.counts(product.index).views);
  value_or_null("converted_price", !price.empty(), rate ? convert(price, *rate) : price);
  out.end_object();
}

Result<std::optional<Rate>> rate_param(const Request& request, const Deps& deps) {
  const auto code = request.query_value("currency");
  if (!code) return std::nullopt;
  const auto rates = deps.engine->catalog().rates();
  const auto found = rates->find(*code);
  if (found != rates->end()) return found->second;
  std::string known;
  for (const auto& [name, rate] : *rates) known += (known.empty() ? "" : ", ") + name;
  return fail(Code::kInvalid,
              known.empty() ? "must be left out: no currency has a rate"
                            : "must be one that has a rate: " + known,
              "currency");
}

}  // namespace millrace::serving
