// Stores and products: what CatalogStore does with their changes.
#include <algorithm>
#include <utility>

#include "schemas/json_value.h"
#include "state/catalog_store_impl.h"

namespace millrace::state {
namespace {

void set_member(Json& object, const char* name, JsonKind kind, std::string text) {
  std::erase_if(object.members, [name](const JsonMember& member) { return member.name == name; });
  object.members.push_back({name, Json{kind, std::move(text), {}, {}}});
}

Json attributes_of(const Item& item) {
  auto kept = parse_json(item.attributes);
  if (kept && kept->kind == JsonKind::kObject) return *std::move(kept);
  return Json{JsonKind::kObject, {}, {}, {}};
}

void set_attributes(Item& item, const Json& attributes) {
  item.attributes.clear();
  if (attributes.members.empty()) return;
  JsonWriter out(item.attributes);
  append_json(out, attributes);
}

std::string numbered(const char* kind, std::uint64_t number) {
  return std::string(kind) + ":" + std::to_string(number);
}

void apply_fields(const PutProduct& put, Item& item) {
  if (put.name) item.title = *put.name;
  if (put.price) item.price = *put.price;
  if (put.category) {
    item.categories.clear();
    if (!put.category->empty()) item.categories.push_back(*put.category);
  }
  Json attributes = attributes_of(item);
  if (put.description) {
    set_member(attributes, "description", JsonKind::kString, *put.description);
  }
  if (put.quantity) {
    set_member(attributes, "quantity", JsonKind::kNumber, std::to_string(*put.quantity));
    set_member(attributes, "sold_before", JsonKind::kNumber, std::to_string(put.sold_before));
  }
  set_attributes(item, attributes);
}

}  // namespace

const CatalogItem* CatalogStore::Impl::find_item(const std::string& id) const {
  const auto index = item_names.find(id);
  return index ? builder.find(*index) : nullptr;
}

bool CatalogStore::Impl::admin(AccountId by) const {
  if (by.value == 0) return true;
  const auto* account = accounts.find(by);
  return account != nullptr && account->role == Role::kAdmin;
}

// `store` may be null, or no store: then it is nobody's.
bool CatalogStore::Impl::may_change(AccountId by, const CatalogItem* store) const {
  if (admin(by)) return true;
  return store != nullptr && store->owner == by && accounts.find(by) != nullptr;
}

CommandVerdict CatalogStore::Impl::put_store(Offset offset, UnixMillis log_time,
                                             const PutStore& put) {
  if (put.id == 0) {
    if (accounts.find(put.by) == nullptr) return {CommandOutcome::kForbidden};
    Item item;
    item.kind = kStoreKind;
    item.title = put.name;
    Json attributes{JsonKind::kObject, {}, {}, {}};
    set_member(attributes, "owner", JsonKind::kNumber, std::to_string(put.by.value));
    set_attributes(item, attributes);
    return mint_item(offset, log_time, std::move(item));
  }
  const auto* store = find_item(numbered(kStoreKind, put.id));
  if (store == nullptr || store->item.kind != kStoreKind) return {CommandOutcome::kNotFound};
  if (!may_change(put.by, store)) return {CommandOutcome::kForbidden};
  Item item = store->item;
  item.title = put.name;
  return {put_item(offset, log_time, item), put.id};
}

// The id of the store that a product goes into.
tl::expected<ItemId, CommandOutcome> CatalogStore::Impl::store_for(const PutProduct& put) const {
  if (put.store == 0) {
    const CatalogItem* lowest = nullptr;
    for (const ItemIndex index : builder.stores_of(put.by)) {
      const auto* store = builder.find(index);
      if (lowest == nullptr || natural_less(*store, *lowest)) lowest = store;
    }
    if (lowest == nullptr || admin(put.by)) return tl::unexpected(CommandOutcome::kNoStore);
    return lowest->item.id;
  }
  const auto* store = find_item(numbered(kStoreKind, put.store));
  if (store == nullptr || store->item.kind != kStoreKind) {
    return tl::unexpected(CommandOutcome::kNoParent);
  }
  if (!may_change(put.by, store)) return tl::unexpected(CommandOutcome::kForbidden);
  return store->item.id;
}

CommandVerdict CatalogStore::Impl::put_product(Offset offset, UnixMillis log_time,
                                               const PutProduct& put) {
  Item item;
  item.kind = kProductKind;
  if (put.id != 0) {
    const auto* product = find_item(numbered(kProductKind, put.id));
    if (product == nullptr || product->item.kind != kProductKind) {
      return {CommandOutcome::kNotFound};
    }
    if (!may_change(put.by, builder.find(product->parent))) return {CommandOutcome::kForbidden};
    item = product->item;
  }
  if (put.id == 0 || put.store != 0) {
    const auto store = store_for(put);
    if (!store) return {store.error()};
    item.parent = *store;
  }
  apply_fields(put, item);
  if (put.id == 0) return mint_item(offset, log_time, std::move(item));
  return {put_item(offset, log_time, item), put.id};
}

CommandVerdict CatalogStore::Impl::delete_owned(Offset offset, const DeleteOwned& gone) {
  const auto* item = find_item(gone.id.value);
  if (item == nullptr) return {CommandOutcome::kNotFound};
  const auto* store = item->item.kind == kStoreKind ? item : builder.find(item->parent);
  if (!may_change(gone.by, store)) return {CommandOutcome::kForbidden};
  return {delete_item(offset, gone.id)};
}

void CatalogStore::Impl::delete_stores_of(Offset offset, AccountId owner) {
  for (const ItemIndex index : std::vector(builder.stores_of(owner))) {
    const auto* store = builder.find(index);
    if (store != nullptr) delete_item(offset, ItemId(store->item.id));
  }
}

}  // namespace millrace::state
