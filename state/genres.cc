#include "state/genres.h"

#include <algorithm>

#include "state/catalog_keys.h"
#include "state/fold_text.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

constexpr const char* kGenres = ":genre";  // kind of CatalogNumbers

}  // namespace

const std::string* GenresView::name(GenreId id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? nullptr : &found->second;
}

std::optional<GenreId> GenresView::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void Genres::place(GenreId id, const std::string& name) {
  shared_.reset();
  now_.names_[id] = name;
  now_.ids_[name] = id;
}

CommandVerdict Genres::put(const PutGenre& put) {
  const bool fresh = put.id.value == 0;
  const auto* old = now_.name(put.id);
  if (!fresh && old == nullptr) return {CommandOutcome::kNotFound};
  const auto folded = fold_text(put.name);
  const bool taken = std::any_of(now_.names_.begin(), now_.names_.end(), [&](const auto& genre) {
    return genre.first != put.id && fold_text(genre.second) == folded;
  });
  if (taken) return {CommandOutcome::kNameTaken};
  if (!fresh) now_.ids_.erase(*old);
  const auto id = fresh ? GenreId(numbers_.mint(kGenres)) : put.id;
  place(id, put.name);
  rows_.put(keys::of(keys::kGenre, id.value), put.name);
  return {fresh ? CommandOutcome::kCreated : CommandOutcome::kReplaced, id.value};
}

CommandVerdict Genres::erase(GenreId id) {
  const auto* name = now_.name(id);
  if (name == nullptr) return {CommandOutcome::kNotFound};
  shared_.reset();
  now_.ids_.erase(*name);
  now_.names_.erase(id);
  rows_.erase(keys::of(keys::kGenre, id.value));
  return {CommandOutcome::kDeleted, id.value};
}

void Genres::meet(const std::string& name) {
  if (now_.find(name)) return;
  const GenreId id(numbers_.mint(kGenres));
  place(id, name);
  rows_.put(keys::of(keys::kGenre, id.value), name);
}

std::shared_ptr<const GenresView> Genres::view() {
  if (!shared_) shared_ = std::make_shared<const GenresView>(now_);
  return shared_;
}

void Genres::restore(std::string_view key, std::string_view row) {
  place(GenreId(keys::from_big_endian(key.substr(1))), std::string(row));
}

}  // namespace millrace::state
