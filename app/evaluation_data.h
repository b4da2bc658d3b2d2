#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schemas/interaction_table.h"
#include "schemas/item.h"

namespace millrace::app {

// One interaction, people and items by number.
struct Sample {
  std::uint32_t user = 0;
  std::uint32_t item = 0;
  UnixMillis time = 0;
  std::uint32_t type = 0;
  std::int32_t value_centi = 0;

  // As the rankers see it (processors/views/positives.h): a rating of 3.5 stars or more.
  bool positive() const;
};

// What a log or a data set says, in the order of events: by time, within one second by
// crc32("user:item") of the ids as in the data set, then by user and item. So ties never fall to
// the order of ids or of a file.
struct EvaluationData {
  std::vector<std::string> users;     // ascending, numbers by value
  std::vector<std::string> items;     // ids as in the data set; rated or in its catalogue
  std::vector<std::string> item_ids;  // the same as Millrace has them
  std::vector<Item> catalog;
  std::vector<Sample> samples;
};

// A MovieLens folder, read as `millrace import movielens` reads it. `progress(share, rows)` is
// called now and then and answers false to stop (kUnavailable). Bad rows are left out.
Result<EvaluationData> read_movielens(
    const std::string& folder,
    const std::function<bool(double share, std::uint64_t rows)>& progress);

}  // namespace millrace::app
