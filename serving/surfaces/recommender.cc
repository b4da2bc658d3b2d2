#include "serving/surfaces/recommender.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "processors/rankers/category_cluster.h"
#include "processors/rankers/neighbours.h"
#include "schemas/json_writer.h"
#include "schemas/rules.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/catalog_search.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {
namespace {

using processors::kProductKind;
using processors::kProductPrefix;

constexpr std::size_t kMaxNameBytes = 1'024;
constexpr std::size_t kMaxCategoryBytes = 128;
constexpr std::int64_t kRows = 100;  // of a page, unless asked otherwise
constexpr std::int64_t kMaxRows = 1'000;
constexpr const char* kDefaultType = "product_view";

// ---- ids and names

Result<ItemId> product_named(const std::string& text) {
  MILLRACE_CHECK(check_id(text, "product_id"));
  ItemId id(std::string(kProductPrefix) + text);
  MILLRACE_CHECK(check_id(id.value, "product_id"));
  return id;
}

Result<std::string> id_in(const JsonBody& body, const char* name) {
  const Json* given = body.find(name);
  if (given == nullptr) return fail(Code::kInvalid, "is required", name);
  return id_of(given->scalar(), name);
}

// A number where the id is one, else text.
void append_id(JsonWriter& out, std::string_view id) {
  if (state::natural_of(":" + std::string(id)) == UINT64_MAX) {
    out.value(id);
  } else {
    out.raw(id);
  }
}

void append_category(JsonWriter& out, const state::CatalogItem* item) {
  out.key("category");
  if (item == nullptr || item->item.categories.empty()) {
    out.value(nullptr);
  } else {
    out.value(item->item.categories.front());
  }
}

std::string_view id_of_product(std::string_view item) {
  return item.starts_with(kProductPrefix) ? item.substr(kProductPrefix.size()) : item;
}

// ---- recommendations

Reply ids_reply(const processors::Ranked& ranked, const processors::ReadState& read) {
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (const auto& scored : ranked.items) {
    append_id(out, id_of_product(read.items->name(scored.item)));
  }
  out.end_array();
  auto reply = json_reply(std::move(body));
  reply.headers.emplace_back("Cache-Control", "no-cache");
  return reply;
}

Reply get_neighbours(const Request& request, const Deps& deps) {
  processors::Query query;
  const auto parse = [&]() -> Result<ItemId> {
    MILLRACE_TRY(query.category, name_param(request, "category"));
    MILLRACE_TRY(query.limit, limit_param(request));
    const auto product = request.query_value("product_id");
    if (!product && query.category.empty()) {
      return fail(Code::kInvalid, "or category is required", "product_id");
    }
    return product ? product_named(std::string(*product)) : ItemId();
  };
  const auto product = parse();
  if (!product) return problem(product.error());
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  processors::TrainedOverlaps trained;
  if (const auto model = deps.trainer->neighbours()) {
    trained = [model](state::ItemIndex item) { return model->overlaps(item); };
  }
  return ids_reply(rank_neighbours(query, *read, *product, trained), *read);
}

struct CategoryQuery {
  std::string category;
  std::size_t limit = 0;
};

Reply category_reply(const CategoryQuery& asked, const Deps& deps) {
  const auto read = deps.engine->read({});
  if (!read) return problem(read.error());
  processors::Query query;
  query.limit = asked.limit;
  const auto model = deps.trainer->categories();
  return ids_reply(rank_category(query, *read, asked.category, model.get()), *read);
}

// The first use trains.
Answer trained_category_reply(const CategoryQuery& asked, const Deps& deps) {
  if (deps.trainer->categories()) return category_reply(asked, deps);
  return Later{[asked, deps](auto finish) {
    const auto job = deps.trainer->train(
        processors::ModelKind::kCategories, [asked, deps, finish](const processors::Job& done) {
          if (done.state == processors::JobState::kDone) {
            return finish([asked, deps] { return category_reply(asked, deps); });
          }
          finish(rendered(
              problem({Code::kUnavailable, "the model is not trained: " + done.error, {}})));
        });
    if (!job) finish(rendered(problem(job.error())));
  }};
}

Answer get_category(const Request& request, const Deps& deps) {
  const auto parse = [&]() -> Result<CategoryQuery> {
    CategoryQuery query;
    MILLRACE_TRY(query.category, name_param(request, "category"));
    if (query.category.empty()) return fail(Code::kInvalid, "is required", "category");
    MILLRACE_TRY(query.limit, limit_param(request));
    return query;
  };
  const auto query = parse();
  if (!query) return problem(query.error());
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  return after(deps, *position,
               [query = *query, deps] { return trained_category_reply(query, deps); });
}

// ---- behind the secret

Reply saved(const char* message) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("message", message);
  out.end_object();
  return json_reply(std::move(body), 201);
}

Result<Event> interaction_in(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  Event event;
  MILLRACE_TRY(auto user, id_in(body, "user_id"));
  event.user = UserId(std::move(user));
  MILLRACE_TRY(const auto product, id_in(body, "product_id"));
  MILLRACE_TRY(event.item, product_named(product));
  MILLRACE_CHECK(body.line("category", kMaxCategoryBytes).map([](const auto&) {}));
  MILLRACE_TRY(const auto type, body.line("interaction_type", kMaxTypeBytes));
  event.type = type.value_or(kDefaultType);
  return event;
}

Answer post_interaction(const Request& request, const Deps& deps) {
  auto event = interaction_in(request);
  if (!event) return problem(event.error());
  const auto key = event_key(request);
  if (!key) return problem(key.error());
  event->source = "/recommender";
  return act(deps, *std::move(event), *key,
             [] { return saved("Interaction saved successfully."); });
}

struct NewProduct {
  ItemId id;
  std::string name;
  std::string category;
};

Result<NewProduct> product_in(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  NewProduct product;
  MILLRACE_TRY(const auto id, id_in(body, "product_id"));
  MILLRACE_TRY(product.id, product_named(id));
  MILLRACE_TRY(product.name, body.required_line("product_name", kMaxNameBytes));
  MILLRACE_TRY(product.category, body.required_line("category", kMaxCategoryBytes));
  return product;
}

// What else is known of the product stays as it is.
Answer post_product(const Request& request, const Deps& deps) {
  auto product = product_in(request);
  if (!product) return problem(product.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return behind_catalog(
      deps, {}, [deps, product = *product, name = *name, actor = actor_of(request)]() -> Answer {
        Item item;
        const auto index = deps.engine->items().find(product.id.value);
        const auto view = deps.engine->catalog().view();
        if (const auto* known = index ? view->find(*index) : nullptr) item = known->item;
        item.id = product.id;
        item.kind = kProductKind;
        item.title = product.name;
        item.categories = {product.category};
        return command(deps, {name, std::move(item), actor},
                       [](const Position&) { return saved("Product saved successfully."); });
      });
}

void link_next(Reply& reply, const Request& request, const Deps& deps, std::int64_t limit,
               const std::string& place) {
  reply.headers.emplace_back("Link", "<" + deps.options.public_url + request.path +
                                         "?limit=" + std::to_string(limit) +
                                         "&cursor=" + cursor_of(place) + ">; rel=\"next\"");
}

Reply list_products(const Request& request, const Deps& deps) {
  const auto limit = int_param(request, "limit", kRows, 1, kMaxRows);
  if (!limit) return problem(limit.error());
  CatalogQuery query;
  query.kind = kProductKind;
  query.limit = static_cast<std::size_t>(*limit);
  auto cursor = cursor_param(request);
  if (!cursor) return problem(cursor.error());
  query.after = *std::move(cursor);
  const auto view = deps.engine->catalog().view();
  const auto page = search(*view, deps.engine->names(), query);
  if (!page) return problem(page.error());
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (const auto* item : page->items) {
    out.begin_object();
    out.key("product_id");
    append_id(out, id_of_product(item->item.id.value));
    out.member("product_name", item->item.title);
    append_category(out, item);
    out.end_object();
  }
  out.end_array();
  auto reply = json_reply(std::move(body));
  if (!page->next.empty()) link_next(reply, request, deps, *limit, page->next);
  return reply;
}

using Place = processors::InteractionMatrix::Place;

// "RUN ROW CELL": rows are numbered anew by every start of the server.
Result<Place> place_param(const Request& request, const std::string& run) {
  MILLRACE_TRY(const std::string text, cursor_param(request));
  Place place;
  if (text.empty()) return place;
  const char* const end = text.data() + text.size();
  if (text.starts_with(run + " ")) {
    const auto row = std::from_chars(text.data() + run.size() + 1, end, place.row);
    if (row.ec == std::errc() && row.ptr != end && *row.ptr == ' ') {
      const auto cell = std::from_chars(row.ptr + 1, end, place.cell);
      if (cell.ec == std::errc() && cell.ptr == end) return place;
    }
  }
  return fail(Code::kInvalid, "must be one that an answer gave since the server has started",
              "cursor");
}

Reply list_interactions(const Request& request, const Deps& deps, const std::string& run) {
  const auto limit = int_param(request, "limit", kRows, 1, kMaxRows);
  if (!limit) return problem(limit.error());
  const auto place = place_param(request, run);
  if (!place) return problem(place.error());
  const auto& matrix = deps.engine->views().matrix();
  const auto rows = static_cast<std::size_t>(*limit);
  auto cells = matrix.cells(*place, rows + 1);
  const bool more = cells.size() > rows;
  if (more) cells.pop_back();
  const auto view = deps.engine->catalog().view();
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for (const auto& cell : cells) {
    out.begin_object();
    out.key("user_id");
    append_id(out, cell.user);
    out.key("product_id");
    append_id(out, id_of_product(deps.engine->items().name(cell.product)));
    append_category(out, view->find(cell.product));
    out.end_object();
  }
  out.end_array();
  auto reply = json_reply(std::move(body));
  if (more) {
    const auto& next = cells.back().next;
    link_next(reply, request, deps, *limit,
              run + " " + std::to_string(next.row) + " " + std::to_string(next.cell));
  }
  return reply;
}

}  // namespace

std::vector<Route> recommender_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) -> Answer { return handler(request, deps); };
  };
  const auto visible = [&deps](Reply (*answer)(const Request&, const Deps&)) -> Handler {
    return [deps, answer](const Request& request) { return when_visible(request, deps, answer); };
  };
  const std::string run = deps.ids == nullptr ? std::string() : deps.ids->mint();
  return {
      {"GET", "/interaction-recommendations", Policy::kPublic, visible(get_neighbours)},
      {"GET", "/category-recommendations", Policy::kPublic, with(get_category)},
      {"POST", "/interactions", Policy::kSecret, with(post_interaction)},
      {"GET", "/interactions", Policy::kSecret,
       [deps, run](const Request& request) {
         return when_visible(request, deps, [run](const Request& seen, const Deps& here) {
           return list_interactions(seen, here, run);
         });
       }},
      {"POST", "/products", Policy::kSecret, with(post_product)},
      {"GET", "/products", Policy::kSecret, visible(list_products)},
      {"POST", "/ai/interactions", Policy::kSecret, with(post_interaction)},
      {"POST", "/ai/products", Policy::kSecret, with(post_product)},
  };
}

}  // namespace millrace::serving
