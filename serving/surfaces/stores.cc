#include "serving/surfaces/stores.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "schemas/catalog_record.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/currencies.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/pages.h"
#include "serving/surfaces/products.h"
#include "serving/surfaces/store_surface.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxName = 1'024;

Reply store_reply(const Deps& deps, std::uint64_t number, int status) {
  const auto catalog = deps.engine->catalog().view();
  const auto* store = find_numbered(deps, *catalog, kStoreKind, number);
  if (store == nullptr) return problem({Code::kNotFound, "no store has this id", {}});
  std::string body;
  JsonWriter out(body);
  append_store(out, *store, *deps.engine->catalog().accounts());
  return json_reply(std::move(body), status);
}

Reply list_stores(const Request& request, const Deps& deps) {
  const auto page = page_query(request);
  if (!page) return problem(page.error());
  const auto catalog = deps.engine->catalog().view();
  std::vector<const state::CatalogItem*> stores;
  if (request.caller.admin()) {
    stores = all_of(*catalog, kStoreKind);
  } else {
    for (const auto index : catalog->stores_of(request.caller.account)) {
      const auto* store = catalog->find(index);
      if (is_numbered(*store, kStoreKind)) stores.push_back(store);
    }
  }
  std::sort(stores.begin(), stores.end(),
            [](const auto* a, const auto* b) { return a->natural < b->natural; });
  const auto accounts = deps.engine->catalog().accounts();
  return array_reply(request, deps, *page, stores.size(), [&](JsonWriter& out, std::size_t at) {
    append_store(out, *stores[at], *accounts);
  });
}

Answer get_store(const Request& request, const Deps& deps) {
  return with_numbered(request, deps, kStoreKind,
                       [deps, caller = request.caller](const state::CatalogItem& store) -> Answer {
                         if (!may_change(caller, &store)) return only_owners(false);
                         return personal(store_reply(deps, store.natural, 200));
                       });
}

Answer put(const Request& request, const Deps& deps, PutStore change) {
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const int status = change.id == 0 ? 201 : 200;
  return command(deps, {*name, std::move(change), actor_of(request)},
                 [deps, name = *name, status](const Position&) {
                   const auto verdict = deps.engine->catalog().verdict(name);
                   if (!verdict) return outcome_unknown(name);
                   if (auto refused = refusal(*verdict, false)) return *std::move(refused);
                   return store_reply(deps, verdict->number, status);
                 });
}

Answer create_store(const Request& request, const Deps& deps) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  auto name = JsonBody::of(request).and_then(
      [](const JsonBody& body) { return body.required_line("name", kMaxName); });
  if (!name) return problem(name.error());
  return put(request, deps, {0, *person, *std::move(name)});
}

Answer change_store(const Request& request, const Deps& deps) {
  return with_numbered(
      request, deps, kStoreKind, [request, deps](const state::CatalogItem& store) -> Answer {
        if (!may_change(request.caller, &store)) return only_owners(false);
        const auto body = JsonBody::of(request);
        if (!body) return problem(body.error());
        const bool nothing = request.method == "PATCH" && body->find("name") == nullptr;
        if (nothing) return store_reply(deps, store.natural, 200);
        auto name = body->required_line("name", kMaxName);
        if (!name) return problem(name.error());
        return put(request, deps, {store.natural, asker(request), *std::move(name)});
      });
}

Answer remove_store(const Request& request, const Deps& deps) {
  return delete_numbered(request, deps, kStoreKind, "Store deleted successfully.");
}

}  // namespace

std::vector<Route> store_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) { return handler(request, deps); };
  };
  std::vector<Route> routes = {
      {"GET", "/api/v1/store/", Policy::kUser,
       [deps](const Request& request) { return when_visible(request, deps, list_stores); }},
      {"POST", "/api/v1/store/", Policy::kUser, with(create_store)},
      {"GET", "/api/v1/store/{id}/", Policy::kUser, with(get_store)},
      {"PUT", "/api/v1/store/{id}/", Policy::kUser, with(change_store)},
      {"PATCH", "/api/v1/store/{id}/", Policy::kUser, with(change_store)},
      {"DELETE", "/api/v1/store/{id}/", Policy::kUser, with(remove_store)},
  };
  for (auto more : {product_routes(deps), currency_routes(deps)}) {
    std::move(more.begin(), more.end(), std::back_inserter(routes));
  }
  return routes;
}

}  // namespace millrace::serving
