#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/catalog_view.h"

namespace millrace::serving {

// What a listing of the catalog asks for. Empty text: not asked for.
struct CatalogQuery {
  std::string kind;
  std::string category;
  std::string tag;
  std::string words;  // each must begin a word of the title, case and accents aside
  std::string after;  // CatalogPage::next of the page before
  std::size_t limit = 20;
};

struct CatalogPage {
  std::vector<const state::CatalogItem*> items;  // of the view asked
  std::string next;                              // where the next page starts; empty on the last
};

// The words of a folded text; views into it.
std::vector<std::string_view> words_of(std::string_view folded);
// A word of a folded title begins with `word`.
bool begins_a_word(std::string_view title, std::string_view word);

// One page of the items that are listed and fit. They come in the natural order of their ids, which
// is the same on every node; with `words` those whose whole title is the words come first, then
// those that begin with them. Pages neither repeat nor skip what stays in the catalog.
// kInvalid, field "cursor": `after` is no place.
Result<CatalogPage> search(const state::CatalogView& catalog, const state::CatalogNames& names,
                           const CatalogQuery& query);

}  // namespace millrace::serving
