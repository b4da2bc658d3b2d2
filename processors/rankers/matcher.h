#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "processors/rankers/number_set.h"
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// "12.50" -> 1250; nothing for text that is no price.
std::optional<std::int64_t> price_in_hundredths(std::string_view text);
// The text of a member of the JSON object `object`: a string's content unescaped, a number or
// literal as it is written; nothing when absent, or an object or array.
std::optional<std::string> json_member(std::string_view object, std::string_view name);

// Which items a query asks for and may have: its kind, category, filter and exclusions, with names
// resolved once; never what the person has disliked. References into `query` and `state`, which
// outlive it. One thread.
class Matcher {
 public:
  // Where a filter's tag has at most so many items, candidates are those and no lists of all.
  static constexpr std::size_t kFew = 2'000;
  // Where a request looks at more items than that ReadState::filter_scans goes up.
  static constexpr std::size_t kScan = 10'000;

  Matcher(const Query& query, const ReadState& state);
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // The list to take candidates from, as RankedLists::list has it: of the whole kind and category,
  // or of what the filter's tag leaves of them. Lives as long as this.
  const RankedList& list(Metric metric, std::uint32_t kind, std::uint32_t category) const;
  const RankedList& list(Metric metric) const { return list(metric, kind_, category_); }

  void leave_out(state::ItemIndex item) { excluded_.insert(item); }

  // A name that nothing carries: no item can match.
  bool nothing() const { return nothing_; }
  std::uint32_t kind() const { return kind_; }          // kAnyName: any
  std::uint32_t category() const { return category_; }  // kAnyName: any
  // Listed, not sold out, not excluded, and as asked for.
  bool allows(state::ItemIndex item) const;

 private:
  bool passes_filter(const state::CatalogItem& item) const;
  void leave_out_disliked();
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
  const std::vector<state::ItemIndex>* few_ = nullptr;  // no others can match
  mutable std::deque<RankedList> made_;                 // of few_
  mutable std::size_t looked_at_ = 0;
  bool looks_inside_ = false;  // the item itself has to be read
  bool nothing_ = false;
};

}  // namespace millrace::processors
