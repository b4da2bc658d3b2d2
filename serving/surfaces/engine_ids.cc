#include "serving/surfaces/engine_ids.h"

#include <cstdint>
#include <utility>

#include "processors/rankers/neighbours.h"
#include "schemas/rules.h"

namespace millrace::serving {

Result<UserId> numbered_user(std::string_view text) {
  const auto number = state::natural_of(":" + std::string(text));
  if (number == UINT64_MAX || number == 0) {
    return fail(Code::kInvalid, "must be a positive integer", "User ID");
  }
  return UserId(std::to_string(number));
}

Result<ItemId> product_of(std::string_view product_id, const Deps& deps) {
  MILLRACE_CHECK(check_id(product_id, "product_id"));
  const std::string text(product_id);
  if (state::natural_of(":" + text) == UINT64_MAX) return ItemId(text);
  const auto view = deps.engine->catalog().view();
  const auto known = [&](const std::string& id) {
    const auto index = deps.engine->items().find(id);
    return index && view->find(*index) != nullptr;
  };
  ItemId product(std::string(processors::kProductPrefix) + text);
  if (known(product.value)) return product;
  const auto& kinds = deps.engine->names().kinds;
  for (std::uint32_t kind = 0; kind < kinds.size(); ++kind) {
    const auto id = std::string(kinds.name(kind)) + ":" + text;
    if (known(id)) return ItemId(id);
  }
  return product;
}

void append_product_id(JsonWriter& out, const state::CatalogItem& item) {
  if (item.natural == UINT64_MAX) {
    out.value(item.item.id.value);
  } else {
    out.value(item.natural);
  }
}

}  // namespace millrace::serving
