#include "serving/surfaces/products.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "processors/rankers/matcher.h"
#include "schemas/catalog_record.h"
#include "schemas/rules.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/catalog_search.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/pages.h"
#include "serving/surfaces/store_surface.h"
#include "state/fold_text.h"

namespace millrace::serving {
namespace {

using Product = state::CatalogItem;
using Products = std::vector<const Product*>;

constexpr std::size_t kMaxName = 1'024;
constexpr std::size_t kMaxCategory = 128;
constexpr std::int64_t kMaxQuantity = 2'147'483'647;
constexpr std::int64_t kMaxHundredths = 99'999'999'99;

// ---- lists

struct ProductQuery {
  std::string search;  // folded: every word begins a word of the name
  std::string category;
  std::int64_t least = 0, most = INT64_MAX;  // hundredths
};

Result<std::int64_t> price_param(const Request& request, const char* name, std::int64_t fallback) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  MILLRACE_TRY(const auto price, price_of({JsonKind::kString, *text}, name));
  return processors::price_in_hundredths(price).value_or(fallback);
}

Result<ProductQuery> product_query(const Request& request) {
  ProductQuery query;
  MILLRACE_TRY(const auto words, name_param(request, "search"));
  query.search = state::fold_text(words);
  MILLRACE_TRY(query.category, name_param(request, "category"));
  MILLRACE_TRY(query.least, price_param(request, "min_price", 0));
  MILLRACE_TRY(query.most, price_param(request, "max_price", INT64_MAX));
  return query;
}

void keep_fitting(Products& products, const ProductQuery& query) {
  const auto words = words_of(query.search);
  const bool priced = query.least > 0 || query.most < INT64_MAX;
  std::erase_if(products, [&](const Product* product) {
    const auto& categories = product->item.categories;
    if (!query.category.empty() &&
        std::find(categories.begin(), categories.end(), query.category) == categories.end()) {
      return true;
    }
    const auto price = priced ? processors::price_in_hundredths(product->item.price) : 0;
    if (priced && (!price || *price < query.least || *price > query.most)) return true;
    return !std::all_of(words.begin(), words.end(), [&](std::string_view word) {
      return begins_a_word(product->folded_title, word);
    });
  });
}

Products of_owner(const state::CatalogView& catalog, AccountId owner) {
  Products products;
  for (const auto store : catalog.stores_of(owner)) {
    for (const auto index : catalog.children(store)) {
      const auto* product = catalog.find(index);
      if (product != nullptr && is_numbered(*product, kProductKind)) products.push_back(product);
    }
  }
  return products;
}

Reply list_products(const Request& request, const Deps& deps, bool by_views) {
  const auto page = page_query(request);
  if (!page) return problem(page.error());
  const auto query = product_query(request);
  if (!query) return problem(query.error());
  const auto rate = rate_param(request, deps);
  if (!rate) return problem(rate.error());
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  const bool all = by_views || request.caller.admin();
  auto products =
      all ? all_of(*read->catalog, kProductKind) : of_owner(*read->catalog, request.caller.account);
  keep_fitting(products, *query);
  std::vector<std::pair<std::uint64_t, const Product*>> order;  // views, most first
  order.reserve(products.size());
  for (const auto* product : products) {
    order.emplace_back(by_views ? read->counts(product->index).views : 0, product);
  }
  const auto shown = std::min(order.size(), page->first() + page->size);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [](const auto& a, const auto& b) {
                      return a.first != b.first ? a.first > b.first
                                                : a.second->natural < b.second->natural;
                    });
  return array_reply(request, deps, *page, order.size(), [&](JsonWriter& out, std::size_t at) {
    append_product(out, *order[at].second, *read, *rate);
  });
}

// ---- one product

Reply product_reply(const Deps& deps, std::uint64_t number, const std::optional<Rate>& rate,
                    int status) {
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  const auto* product = find_numbered(deps, *read->catalog, kProductKind, number);
  if (product == nullptr) return problem({Code::kNotFound, "no product has this id", {}});
  std::string body;
  JsonWriter out(body);
  append_product(out, *product, *read, rate);
  return json_reply(std::move(body), status);
}

Answer get_product(const Request& request, const Deps& deps) {
  const auto rate = rate_param(request, deps);
  if (!rate) return problem(rate.error());
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  const bool counts = request.caller.account.value != 0 && request.method == "GET";
  return with_numbered(request, deps, kProductKind,
                       [deps, counts, rate = *rate, key = *key,
                        user = user_of(request.caller.account)](const Product& product) -> Answer {
                         const auto answer = [deps, number = product.natural, rate] {
                           return personal(product_reply(deps, number, rate, 200));
                         };
                         if (!counts) return answer();
                         Event view;
                         view.source = "/api/v1/store";
                         view.type = "product_view";
                         view.user = user;
                         view.item = product.item.id;
                         return act(deps, std::move(view), key, answer);
                       });
}

// ---- changes

// Digits and a point, as they were written: a price never passes through a float.
Result<std::optional<std::string>> price_in(const JsonBody& body) {
  const Json* given = body.find("price");
  if (given == nullptr) return std::nullopt;
  const auto price = price_of(given->scalar(), "price");
  const auto hundredths = price ? processors::price_in_hundredths(*price) : std::nullopt;
  if (!hundredths || *hundredths < 1 || *hundredths > kMaxHundredths) {
    return fail(Code::kInvalid,
                "must be a decimal from 0.01 to 99999999.99 with at most two decimals", "price");
  }
  return *price;
}

Status check_all_given(const PutProduct& put) {
  const std::pair<const char*, bool> needed[] = {{"name", put.name.has_value()},
                                                 {"price", put.price.has_value()},
                                                 {"quantity", put.quantity.has_value()},
                                                 {"category", put.category.has_value()}};
  for (const auto& [field, given] : needed) {
    if (!given) return fail(Code::kInvalid, "is required", field);
  }
  return {};
}

Result<PutProduct> product_in(const Request& request, const JsonBody& body) {
  PutProduct put;
  put.by = asker(request);
  MILLRACE_TRY(put.name, body.line("name", kMaxName));
  if (put.name && put.name->empty()) return fail(Code::kInvalid, "must not be empty", "name");
  MILLRACE_TRY(put.description, body.text("description", kMaxTextBytes));
  MILLRACE_TRY(put.price, price_in(body));
  MILLRACE_TRY(const auto quantity, body.integer("quantity", 0, kMaxQuantity));
  if (quantity) put.quantity = static_cast<std::uint32_t>(*quantity);
  MILLRACE_TRY(put.category, body.line("category", kMaxCategory));
  if (request.method != "PATCH") {
    MILLRACE_CHECK(check_all_given(put));
    if (!put.description) put.description.emplace();
  }
  return put;
}

// What the present view can tell of the store named; nothing: the log decides.
std::optional<Reply> refuse_store(const Request& request, const Deps& deps, std::uint64_t number) {
  if (number == 0) return std::nullopt;
  const auto catalog = deps.engine->catalog().view();
  const auto* store = find_numbered(deps, *catalog, kStoreKind, number);
  if (store == nullptr || may_change(request.caller, store)) return std::nullopt;
  return only_owners(true);
}

Answer put(const Request& request, const Deps& deps, std::uint64_t number) {
  const auto rate = rate_param(request, deps);
  if (!rate) return problem(rate.error());
  const auto body = JsonBody::of(request);
  if (!body) return problem(body.error());
  const auto store = body->integer("store_id", 1, INT64_MAX);
  if (!store) return problem(store.error());
  const auto named = static_cast<std::uint64_t>(store->value_or(0));
  if (auto refused = refuse_store(request, deps, named)) return *std::move(refused);
  auto change = product_in(request, *body);
  if (!change) return problem(change.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  change->id = number;
  change->store = named;
  const auto item =
      deps.engine->items().find(std::string(kProductKind) + ":" + std::to_string(number));
  if (change->quantity && item) {
    const auto read = deps.engine->read({});
    if (!read) return problem(read.error());
    change->sold_before = read->sold(*item);
  }
  const bool adding = number == 0 || named != 0;
  const int status = number == 0 ? 201 : 200;
  return command(deps, {*name, *std::move(change), actor_of(request)},
                 [deps, name = *name, rate = *rate, adding, status](const Position&) {
                   const auto verdict = deps.engine->catalog().verdict(name);
                   if (!verdict) return outcome_unknown(name);
                   if (auto refused = refusal(*verdict, adding)) return *std::move(refused);
                   return product_reply(deps, verdict->number, rate, status);
                 });
}

Answer create_product(const Request& request, const Deps& deps) { return put(request, deps, 0); }

Answer change_product(const Request& request, const Deps& deps) {
  return with_numbered(request, deps, kProductKind,
                       [request, deps](const Product& product) -> Answer {
                         const auto catalog = deps.engine->catalog().view();
                         if (!may_change(request.caller, store_of(product, *catalog))) {
                           return only_owners(false);
                         }
                         return put(request, deps, product.natural);
                       });
}

Answer remove_product(const Request& request, const Deps& deps) {
  return delete_numbered(request, deps, kProductKind, "Product deleted successfully.");
}

}  // namespace

Answer delete_numbered(const Request& request, const Deps& deps, const char* kind,
                       const char* done) {
  return with_numbered(
      request, deps, kind, [request, deps, kind, done](const state::CatalogItem& item) -> Answer {
        const auto catalog = deps.engine->catalog().view();
        const auto* store = kind == kStoreKind ? &item : store_of(item, *catalog);
        if (!may_change(request.caller, store)) return only_owners(false);
        auto name = command_id(request, deps);
        if (!name) return problem(name.error());
        return command(deps, {*name, DeleteOwned{item.item.id, asker(request)}, actor_of(request)},
                       [deps, name = *name, done](const Position&) {
                         const auto verdict = deps.engine->catalog().verdict(name);
                         if (!verdict) return outcome_unknown(name);
                         if (auto refused = refusal(*verdict, false)) return *std::move(refused);
                         return detail_reply(200, done);
                       });
      });
}

std::vector<Route> product_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  const auto listed = [&deps](bool by_views) {
    return [deps, by_views](const Request& request) {
      return when_visible(request, deps, [by_views](const Request& seen, const Deps& on) {
        return list_products(seen, on, by_views);
      });
    };
  };
  return {
      {"GET", "/api/v1/store/products/", Policy::kUser, listed(false)},
      {"POST", "/api/v1/store/products/", Policy::kUser, with(create_product)},
      {"GET", "/api/v1/store/products/most-popular/", Policy::kUser, listed(true)},
      {"GET", "/api/v1/store/products/{id}/", Policy::kUser, with(get_product)},
      {"PUT", "/api/v1/store/products/{id}/", Policy::kUser, with(change_product)},
      {"PATCH", "/api/v1/store/products/{id}/", Policy::kUser, with(change_product)},
      {"DELETE", "/api/v1/store/products/{id}/", Policy::kUser, with(remove_product)},
  };
}

}  // namespace millrace::serving
