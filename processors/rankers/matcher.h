#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "processors/rankers/number_set.h"
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// "12.50" -> 1250; nothing for text that is no price.
std::optional<std::int64_t> price_in_hundredths(std::string_view text);
// The text of a member of the JSON object `object`: a string's content unescaped, a number or
// literal as it is written; nothing when absent, or an object or array.
std::optional<std::string> json_member(std::string_view object, std::string_view name);

// Which items a query asks for and may have: its kind, category, filter and exclusions, with names
// resolved once. References into `query` and `state`, which outlive it.
class Matcher {
 public:
  Matcher(const Query& query, const ReadState& state);

  void leave_out(state::ItemIndex item) { excluded_.insert(item); }

  // A name that nothing carries: no item can match.
  bool nothing() const { return nothing_; }
  std::uint32_t kind() const { return kind_; }          // kAnyName: any
  std::uint32_t category() const { return category_; }  // kAnyName: any
  // Listed, not sold out, not excluded, and as asked for.
  bool allows(state::ItemIndex item) const;

 private:
  bool passes_filter(const state::CatalogItem& item) const;
  std::uint32_t resolve(const state::NameTable& names, const std::string& name);

  const Filter& filter_;
  const ReadState& state_;
  const state::CatalogView& catalog_;
  NumberSet excluded_;
  std::uint32_t kind_ = state::kAnyName;
  std::uint32_t category_ = state::kAnyName;
  std::uint32_t filter_kind_ = state::kAnyName;
  std::uint32_t filter_category_ = state::kAnyName;
  std::uint32_t filter_tag_ = state::kAnyName;
  bool looks_inside_ = false;  // the item itself has to be read
  bool nothing_ = false;
};

}  // namespace millrace::processors
