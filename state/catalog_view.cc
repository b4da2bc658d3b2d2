#include "state/catalog_view.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "schemas/json_value.h"
#include "schemas/store.h"
#include "state/fold_text.h"

namespace millrace::state {
namespace {

std::vector<std::uint32_t> intern_all(NameTable& table, const std::vector<std::string>& names) {
  std::vector<std::uint32_t> out;
  out.reserve(names.size());
  for (const auto& name : names) {
    const std::uint32_t index = table.intern(name);
    if (std::find(out.begin(), out.end(), index) == out.end()) out.push_back(index);
  }
  return out;
}

bool same_features(const CatalogItem& a, const CatalogItem& b) {
  return a.kind == b.kind && a.categories == b.categories && a.tags == b.tags &&
         a.parent == b.parent;
}

std::size_t bytes_of(const CatalogItem& item) {
  std::size_t bytes = sizeof(CatalogItem) + 64 + item.folded_title.size() + item.item.title.size() +
                      item.item.attributes.size() + item.item.id.value.size() +
                      item.item.parent.value.size();
  bytes += item.categories.size() * (sizeof(std::uint32_t) + 40);
  bytes += item.tags.size() * (2 * sizeof(std::uint32_t) + 40);
  return bytes;
}

// What the catalog itself makes of a store's and a product's attributes.
void read_attributes(CatalogItem& item) {
  const bool store = item.item.kind == kStoreKind;
  if ((!store && item.item.kind != kProductKind) || item.item.attributes.empty()) return;
  const auto json = parse_json(item.item.attributes);
  const auto number = [&json](std::string_view name) -> std::optional<std::uint64_t> {
    const Json* found = json ? json->find(name) : nullptr;
    if (found == nullptr || found->kind != JsonKind::kNumber) return std::nullopt;
    const auto value = natural_of(":" + found->text);
    return value == UINT64_MAX ? std::nullopt : std::optional(value);
  };
  if (store) {
    item.owner = AccountId(number("owner").value_or(0));
  } else if (const auto quantity = number("quantity")) {
    item.stock = Stock{*quantity, number("sold_before").value_or(0)};
  }
}

}  // namespace

std::uint64_t natural_of(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos) return UINT64_MAX;
  const std::string_view digits = id.substr(colon + 1);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return UINT64_MAX;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} && end == digits.data() + digits.size() ? number : UINT64_MAX;
}

bool natural_less(const CatalogItem& a, const CatalogItem& b) {
  if (a.natural != b.natural) return a.natural < b.natural;
  return a.item.id.value < b.item.id.value;
}

const std::vector<ItemIndex>& CatalogView::held(const Index& index, std::uint64_t key) {
  static const std::vector<ItemIndex> none;
  const auto* found = index.find(key);
  return found == nullptr ? none : *found;
}

const CatalogItem* CatalogViewBuilder::find(ItemIndex index) const {
  const std::size_t c = index / CatalogView::kChunk;
  if (c >= chunks_.size() || !chunks_[c]) return nullptr;
  return chunks_[c]->items[index % CatalogView::kChunk].get();
}

std::vector<std::shared_ptr<const CatalogItem>> CatalogViewBuilder::having(
    std::string_view kind, std::string_view category) const {
  std::vector<std::shared_ptr<const CatalogItem>> out;
  const auto number = names_->categories.find(category);
  for (const auto& chunk : chunks_) {
    if (!number || !chunk) continue;
    for (const auto& item : chunk->items) {
      if (item && item->item.kind == kind &&
          std::find(item->categories.begin(), item->categories.end(), *number) !=
              item->categories.end()) {
        out.push_back(item);
      }
    }
  }
  return out;
}

CatalogView::Chunk& CatalogViewBuilder::chunk_for(ItemIndex index) {
  const std::size_t c = index / CatalogView::kChunk;
  if (c >= chunks_.size()) {
    chunks_.resize(c + 1);
    shared_.resize(c + 1, false);
  }
  if (!chunks_[c]) {
    chunks_[c] = std::make_shared<CatalogView::Chunk>();
  } else if (shared_[c]) {
    chunks_[c] = std::make_shared<CatalogView::Chunk>(*chunks_[c]);
  }
  shared_[c] = false;
  return *chunks_[c];
}

void CatalogViewBuilder::link(const CatalogItem& item) {
  if (item.parent == kNoItem && item.owner.value == 0 && item.tags.empty()) return;
  shared_families_.reset();
  for (const auto tag : item.tags) families_.tagged[tag].push_back(item.index);
  if (item.parent != kNoItem) families_.children[item.parent].push_back(item.index);
  if (item.owner.value != 0) families_.stores[item.owner.value].push_back(item.index);
}

void CatalogViewBuilder::unlink(const CatalogItem& item) {
  const auto from = [&](CatalogView::Index& index, std::uint64_t key) {
    if (index.find(key) == nullptr) return;
    shared_families_.reset();
    auto& held = index[key];
    std::erase(held, item.index);
    if (held.empty()) index.erase(key);
  };
  from(families_.children, item.parent);
  from(families_.stores, item.owner.value);
  for (const auto tag : item.tags) from(families_.tagged, tag);
}

void CatalogViewBuilder::place(std::shared_ptr<const CatalogItem> item) {
  const std::size_t at = item->index % CatalogView::kChunk;
  CatalogView::Chunk& chunk = chunk_for(item->index);
  const auto& old = chunk.items[at];
  if (old) {
    memory_bytes_ -= bytes_of(*old);
  } else {
    ++count_;
  }
  if (!old || old->parent != item->parent || old->owner != item->owner || old->tags != item->tags) {
    if (old) unlink(*old);
    link(*item);
  }
  memory_bytes_ += bytes_of(*item);
  chunk.kinds[at] = item->kind;
  chunk.listed[at] = !item->item.hidden;
  chunk.stocked[at] = item->stock.has_value();
  chunk.items[at] = std::move(item);
}

void CatalogViewBuilder::restore(const Item& item, UnixMillis first_put, Offset changed) {
  auto made = std::make_shared<CatalogItem>();
  made->item = item;
  made->index = items_->intern(item.id.value);
  made->kind = names_->kinds.intern(item.kind);
  made->tags = intern_all(names_->tags, item.tags);
  made->folded_title = fold_text(item.title);
  made->natural = natural_of(item.id.value);
  made->first_put = first_put;
  made->appeared = item.published ? *item.published : item.created.value_or(first_put);
  made->changed = changed;
  if (!item.parent.value.empty()) made->parent = items_->intern(item.parent.value);
  read_attributes(*made);
  made->categories = categories_of(*made);
  const auto index = made->index;
  place(std::move(made));
  inherited_.clear();
  hand_down(index);
}

std::vector<std::uint32_t> CatalogViewBuilder::categories_of(const CatalogItem& item) const {
  const auto* parent = find(item.parent);
  if (parent != nullptr && !parent->categories.empty()) return parent->categories;
  return intern_all(names_->categories, item.item.categories);
}

void CatalogViewBuilder::hand_down(ItemIndex parent) {
  for (const ItemIndex child : children(parent)) {
    const CatalogItem& old = *find(child);
    auto categories = categories_of(old);
    if (categories == old.categories) continue;
    auto made = std::make_shared<CatalogItem>(old);
    made->categories = std::move(categories);
    place(std::move(made));
    inherited_.push_back(child);
    hand_down(child);
  }
}

void CatalogViewBuilder::restore_offsets(Offset features_changed, Offset added) {
  features_changed_ = features_changed;
  added_ = added;
}

ItemIndex CatalogViewBuilder::put(const Item& item, UnixMillis log_time, Offset offset) {
  const ItemIndex index = items_->intern(item.id.value);
  std::shared_ptr<const CatalogItem> old;
  if (find(index) != nullptr) {
    old = chunks_[index / CatalogView::kChunk]->items[index % CatalogView::kChunk];
  }
  restore(item, old ? old->first_put : log_time, offset);
  items_changed_ = offset + 1;
  if (!old) {
    added_ = offset + 1;
  } else if (!same_features(*old, *find(index))) {
    features_changed_ = offset + 1;
  }
  return index;
}

bool CatalogViewBuilder::erase(ItemIndex index, Offset offset) {
  if (find(index) == nullptr) return false;
  const std::size_t at = index % CatalogView::kChunk;
  CatalogView::Chunk& chunk = chunk_for(index);
  memory_bytes_ -= bytes_of(*chunk.items[at]);
  unlink(*chunk.items[at]);
  if (families_.children.find(index) != nullptr) {
    shared_families_.reset();
    families_.children.erase(index);
  }
  chunk.items[at] = nullptr;
  chunk.kinds[at] = kAnyName;
  chunk.listed[at] = chunk.stocked[at] = false;
  --count_;
  features_changed_ = items_changed_ = offset + 1;
  return true;
}

std::shared_ptr<const CatalogView> CatalogViewBuilder::build(
    Offset next_offset, std::shared_ptr<const ExperimentsView> experiments,
    std::shared_ptr<const RankingRulesView> rules) {
  auto view = std::make_shared<CatalogView>();
  view->experiments_ = std::move(experiments);
  view->ranking_rules_ = std::move(rules);
  view->chunks_.assign(chunks_.begin(), chunks_.end());
  std::fill(shared_.begin(), shared_.end(), true);
  if (!shared_families_) {
    shared_families_ = std::make_shared<const CatalogView::Families>(CatalogView::Families{
        families_.children.share(), families_.stores.share(), families_.tagged.share()});
  }
  view->families_ = shared_families_;
  view->next_offset_ = next_offset;
  view->features_changed_ = features_changed_;
  view->added_ = added_;
  view->items_changed_ = items_changed_;
  view->items_ = count_;
  return view;
}

}  // namespace millrace::state
