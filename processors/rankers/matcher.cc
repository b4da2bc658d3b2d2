#include "processors/rankers/matcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

bool contains(const std::vector<std::uint32_t>& names, std::uint32_t name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr auto number_of(BuiltIn type) { return static_cast<std::uint32_t>(type); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Walks over a JSON text that is known to be well-formed (the catalog's records are checked).
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }
  char peek() {
    while (!done() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
    return done() ? '\0' : text_[at_];
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // The content of a string, at whose first quote we stand.
  std::string string() {
    std::string out;
    take('"');
    while (!done() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        unescape(out);
      } else {
        out += text_[at_++];
      }
    }
    ++at_;
    return out;
  }
  // A value of any kind; its text when it is no object or array.
  std::optional<std::string> value() {
    const char first = peek();
    if (first == '"') return string();
    if (first == '{' || first == '[') {
      skip_nested();
      return std::nullopt;
    }
    const std::size_t from = at_;
    while (!done() && std::string_view(",]} \n\t\r").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    return std::string(text_.substr(from, at_ - from));
  }

 private:
  void unescape(std::string& out) {
    const char c = text_[at_ + 1];
    at_ += 2;
    constexpr std::string_view kNames = "bfnrt";
    constexpr std::string_view kMeanings = "\b\f\n\r\t";
    if (const auto i = kNames.find(c); i != std::string_view::npos) {
      out += kMeanings[i];
    } else if (c == 'u') {
      append_unit(out);
    } else {
      out += c;
    }
  }
  std::uint32_t hex4() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4 && !done(); ++i, ++at_) {
      const char c = text_[at_];
      const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
      unit = unit * 16 + (static_cast<std::uint32_t>(digit) & 15u);
    }
    return unit;
  }
  void append_unit(std::string& out) {
    std::uint32_t point = hex4();
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      point = 0x10000 + ((point - 0xd800) << 10) + (hex4() & 0x3ff);
    }
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6), put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 0x3f));
      put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
    }
  }
  void skip_nested() {
    int depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && !done());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::int64_t> price_in_hundredths(std::string_view text) {
  std::int64_t whole = 0;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at]) && at < 15) whole = whole * 10 + (text[at++] - '0');
  if (at == 0) return std::nullopt;
  std::int64_t cents = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    std::size_t decimals = 0;
    for (; decimals < 2 && at < text.size() && is_digit(text[at]); ++decimals, ++at) {
      cents = cents * 10 + (text[at] - '0');
    }
    if (decimals == 1) cents *= 10;
  }
  if (at != text.size()) return std::nullopt;
  return whole * 100 + cents;
}

std::optional<std::string> json_member(std::string_view object, std::string_view name) {
  JsonWalk walk(object);
  if (!walk.take('{')) return std::nullopt;
  while (walk.peek() == '"') {
    const bool wanted = walk.string() == name;
    if (!walk.take(':')) break;
    auto value = walk.value();
    if (wanted) return value;
    if (!walk.take(',')) break;
  }
  return std::nullopt;
}

std::uint32_t Matcher::resolve(const state::NameTable& names, const std::string& name) {
  if (name.empty()) return state::kAnyName;
  const auto found = names.find(name);
  if (!found) nothing_ = true;
  return found.value_or(state::kAnyName);
}

Matcher::Matcher(const Query& query, const ReadState& state)
    : filter_(query.filter),
      state_(state),
      catalog_(*state.catalog),
      excluded_(query.exclude.size()) {
  for (const ItemId& id : query.exclude) {
    if (const auto item = state.items->find(id.value)) excluded_.insert(*item);
  }
  kind_ = resolve(state.names->kinds, query.kind);
  category_ = resolve(state.names->categories, query.category);
  filter_kind_ = resolve(state.names->kinds, filter_.kind);
  filter_category_ = resolve(state.names->categories, filter_.category);
  filter_tag_ = resolve(state.names->tags, filter_.tag);
  // A filter's kind or category picks the lists to read where the query itself leaves it open.
  if (kind_ == state::kAnyName) kind_ = std::exchange(filter_kind_, state::kAnyName);
  if (category_ == state::kAnyName) category_ = std::exchange(filter_category_, state::kAnyName);
  looks_inside_ = category_ != state::kAnyName || filter_category_ != state::kAnyName ||
                  filter_tag_ != state::kAnyName || filter_.price_min || filter_.price_max ||
                  !filter_.attributes.empty();
  if (filter_tag_ != state::kAnyName && catalog_.tagged(filter_tag_).size() <= kFew) {
    few_ = &catalog_.tagged(filter_tag_);
  }
  leave_out_disliked();
}

Matcher::~Matcher() {
  if (looked_at_ > kScan && state_.filter_scans != nullptr) state_.filter_scans->inc();
}

void Matcher::leave_out_disliked() {
  const auto& known = state_.user.view.person ? state_.user : state_.session;
  const auto& person = known.view.person;
  if (!person || state::count_of(person->counts, number_of(BuiltIn::kDislike)) == 0) return;
  person->for_each_row([&](const state::ItemRow& row) {
    if (!row.has(state::kDisliked)) return;
    if (const auto item = known.index_of(row.item); item != state::kNoItem) excluded_.insert(item);
  });
}

const RankedList& Matcher::list(Metric metric, std::uint32_t kind, std::uint32_t category) const {
  if (few_ == nullptr) return state_.lists->list(metric, kind, category);
  std::vector<RankedEntry> entries;
  for (const auto index : *few_) {
    if (!catalog_.listed(index)) continue;
    const auto& item = *catalog_.find(index);
    if (kind != state::kAnyName && item.kind != kind) continue;
    if (category != state::kAnyName && !contains(item.categories, category)) continue;
    if (const auto entry = ranked_entry(metric, item, state_.counts(index))) {
      entries.push_back(*entry);
    }
  }
  return made_.emplace_back(RankedList::of(std::move(entries), RankedOrder(*state_.items)));
}

bool Matcher::allows(state::ItemIndex item) const {
  ++looked_at_;
  if (nothing_ || !catalog_.listed(item) || excluded_.contains(item)) return false;
  if (state_.sold_out(item)) return false;
  if (kind_ != state::kAnyName && catalog_.kind_of(item) != kind_) return false;
  return !looks_inside_ || passes_filter(*catalog_.find(item));
}

bool Matcher::passes_filter(const state::CatalogItem& item) const {
  if (filter_kind_ != state::kAnyName && item.kind != filter_kind_) return false;
  for (const auto category : {category_, filter_category_}) {
    if (category != state::kAnyName && !contains(item.categories, category)) return false;
  }
  if (filter_tag_ != state::kAnyName && !contains(item.tags, filter_tag_)) return false;
  if (filter_.price_min || filter_.price_max) {
    const auto price = price_in_hundredths(item.item.price);
    if (!price || (filter_.price_min && *price < *filter_.price_min) ||
        (filter_.price_max && *price > *filter_.price_max)) {
      return false;
    }
  }
  return std::all_of(filter_.attributes.begin(), filter_.attributes.end(), [&](const auto& wanted) {
    return json_member(item.item.attributes, wanted.first) == wanted.second;
  });
}

}  // namespace millrace::processors
