#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/attribution.h"
#include "state/duplicates.h"
#include "state/item_index.h"
#include "state/pages.h"
#include "state/partition_store.h"
#include "state/profile.h"

namespace millrace::state {

// Values to stored bytes (schemas/proto/state.proto). The bytes are a function of the value alone.
// Each call's answer is valid until the next; one thread.
class PageEncoder {
 public:
  PageEncoder();
  ~PageEncoder();

  std::string_view person(const Person& person);  // the head, with the only page if there is one
  std::string_view row_page(const RowPage& page);
  std::string_view item_chunk(const ItemChunk& chunk);
  std::string_view dictionary_page(std::span<const std::string_view> items);
  std::string_view duplicates(std::span<const Duplicates::Entry> entries);
  std::string_view dead_letter(const DeadLetter& letter);
  std::string_view profile(const Profile& profile, const CatalogNames& names);
  std::string_view attribution_day(std::span<const AttributionRow> rows);
  std::string_view experiment(const ExperimentSums& sums);

 private:
  struct Messages;
  std::unique_ptr<Messages> messages_;
  std::string bytes_;
};

// Stored bytes to values; kCorrupt for bytes that no writer has written. Unknown fields of newer
// writers are ignored. Thread-safe.

// The pages of a person with more than one are left null, to be read and filled in.
Result<Person> decode_person(std::string_view bytes);
Result<std::shared_ptr<RowPage>> decode_row_page(std::string_view bytes);
Result<std::shared_ptr<ItemChunk>> decode_item_chunk(std::string_view bytes);
Result<std::vector<std::string>> decode_dictionary_page(std::string_view bytes);
Result<std::vector<Duplicates::Entry>> decode_duplicates(std::string_view bytes);
Result<DeadLetter> decode_dead_letter(std::string_view bytes);
// Interns the profile's names.
Result<std::shared_ptr<const Profile>> decode_profile(std::string_view bytes, CatalogNames& names);

Result<std::vector<AttributionRow>> decode_attribution_day(std::string_view bytes);
Result<ExperimentSums> decode_experiment(std::string_view bytes);

// What a commit says of the log, beside the facts.
struct AppliedRow {
  Applied applied;
  std::uint64_t ids = 0;  // identities ever added
  Duplicates::Floor ids_floor;
  Digest digest;
};
std::string encode(const AppliedRow& row);
Result<AppliedRow> decode_applied(std::string_view bytes);

}  // namespace millrace::state
