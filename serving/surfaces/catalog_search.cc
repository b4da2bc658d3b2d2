#include "serving/surfaces/catalog_search.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "state/fold_text.h"

namespace millrace::serving {
namespace {

// Bytes beyond ASCII belong to words: the text is folded, what is left of them are letters.
bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// A place in a listing: how well the title fits (0 is best), then the id.
struct Place {
  char fit = '0';
  std::uint64_t natural = 0;
  std::string_view id;
  friend bool operator<(const Place& a, const Place& b) {
    return std::tie(a.fit, a.natural, a.id) < std::tie(b.fit, b.natural, b.id);
  }
};

struct Found {
  Place place;
  const state::CatalogItem* item = nullptr;
  friend bool operator<(const Found& a, const Found& b) { return a.place < b.place; }
};

Result<std::optional<Place>> place_of(std::string_view after) {
  if (after.empty()) return std::optional<Place>();
  if (after.size() < 2 || after[0] < '0' || after[0] > '2') {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  const auto id = after.substr(1);
  return std::optional<Place>({after[0], state::natural_of(id), id});
}

// The query with its names resolved.
class Fit {
 public:
  Fit(const state::CatalogNames& names, const CatalogQuery& query)
      : folded_(state::fold_text(query.words)), words_(words_of(folded_)) {
    kind_ = resolve(names.kinds, query.kind);
    category_ = resolve(names.categories, query.category);
    tag_ = resolve(names.tags, query.tag);
    if (!query.words.empty() && words_.empty()) nothing_ = true;
  }

  bool nothing() const { return nothing_; }

  // Nothing when the item does not fit.
  std::optional<char> operator()(const state::CatalogItem& item) const {
    if (item.item.hidden || (kind_ && item.kind != *kind_) || !has(item.categories, category_) ||
        !has(item.tags, tag_)) {
      return std::nullopt;
    }
    if (words_.empty()) return '0';
    const std::string_view title = item.folded_title;
    const auto there = [&](std::string_view word) { return begins_a_word(title, word); };
    if (!std::all_of(words_.begin(), words_.end(), there)) return std::nullopt;
    if (title == folded_) return '0';
    return title.starts_with(folded_) ? '1' : '2';
  }

 private:
  using Name = std::optional<std::uint32_t>;

  Name resolve(const state::NameTable& names, const std::string& name) {
    if (name.empty()) return std::nullopt;
    const auto found = names.find(name);
    if (!found) nothing_ = true;
    return found;
  }
  static bool has(const std::vector<std::uint32_t>& names, const Name& name) {
    return !name || std::find(names.begin(), names.end(), *name) != names.end();
  }

  const std::string folded_;
  const std::vector<std::string_view> words_;  // of folded_
  Name kind_, category_, tag_;
  bool nothing_ = false;
};

}  // namespace

std::vector<std::string_view> words_of(std::string_view folded) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < folded.size();) {
    if (!in_word(folded[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < folded.size() && in_word(folded[i])) ++i;
    words.push_back(folded.substr(begin, i - begin));
  }
  return words;
}

bool begins_a_word(std::string_view title, std::string_view word) {
  for (auto at = title.find(word); at != std::string_view::npos; at = title.find(word, at + 1)) {
    if (at == 0 || !in_word(title[at - 1])) return true;
  }
  return false;
}

Result<CatalogPage> search(const state::CatalogView& catalog, const state::CatalogNames& names,
                           const CatalogQuery& query) {
  MILLRACE_TRY(const auto after, place_of(query.after));
  const Fit fit(names, query);
  CatalogPage page;
  if (fit.nothing()) return page;
  // The best limit + 1 places behind `after`, as a heap with the worst on top.
  std::vector<Found> best;
  catalog.for_each(0, [&](const state::CatalogItem& item) {
    const auto how = fit(item);
    if (!how) return true;
    const Found found{{*how, item.natural, item.item.id.value}, &item};
    if (after && !(*after < found.place)) return true;
    if (best.size() > query.limit && !(found < best.front())) return true;
    best.push_back(found);
    std::push_heap(best.begin(), best.end());
    if (best.size() > query.limit + 1) {
      std::pop_heap(best.begin(), best.end());
      best.pop_back();
    }
    return true;
  });
  std::sort_heap(best.begin(), best.end());
  const bool more = best.size() > query.limit;
  if (more) best.pop_back();
  for (const auto& found : best) page.items.push_back(found.item);
  if (more) page.next = best.back().place.fit + std::string(best.back().place.id);
  return page;
}

}  // namespace millrace::serving
