#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "state/tracked_read.h"

namespace millrace::serving {

// A row and the item it is about.
struct Tracked {
  state::TrackedRow row;
  std::string item;
};

// How a person's rows are shown: under the person's id, with mood only when asked for.
class TrackedPrinter {
 public:
  TrackedPrinter(const Deps& deps, std::string user, bool mood);

  void append_json(JsonWriter& out, const Tracked& tracked) const;
  // RFC 4180; a cell that a spreadsheet would take for a formula is made text.
  void append_csv(std::string& out, const Tracked& tracked) const;
  std::string csv_header() const;

 private:
  std::uint64_t id_of(const state::TrackedRow& row) const;
  std::string type_of(const state::TrackedRow& row) const;

  std::shared_ptr<const InteractionTable> table_;
  std::string user_;
  std::uint16_t partition_;
  bool mood_;
};

// Tracked rows and a person's whole history together, with what did not come by
// /interactions/track: the last of each item and type, since when there is one. Newest first.
Result<std::vector<Tracked>> all_rows(const std::string& user, const state::TrackedQuery& query,
                                      const Deps& deps);

// `contentId` and the item that it is: text that names a kind stays, all else is of kind content.
std::string item_of_content(std::string_view content);

}  // namespace millrace::serving
