#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "schemas/position.h"

namespace millrace::train {

// What a training learns from: what people liked (processors/views/positives.h),
// in the order in which they came to it. Items are named by rows.
struct Sequences {
  struct Person {
    std::string name;
    std::vector<std::uint32_t> liked;  // rows, oldest first; at least one
    std::vector<std::uint32_t> other;  // rows of what else they have dealt with, ascending
  };
  std::vector<std::string> items;                  // ids; each is liked by somebody
  std::vector<std::vector<std::uint32_t>> genres;  // of each item, numbers below `genre_count`
  std::uint32_t genre_count = 0;
  std::vector<Person> people;
  Position position;  // of the log

  // A number that other likings, items or genres would change.
  std::uint64_t hash() const;
};

// From a folder of databases: a checkpoint, or `state` of a data folder. It is only read.
// kNotFound: there are none.
Result<Sequences> sequences_of_state(const std::string& directory);
// From MovieLens' files (ingest/importers/movielens.h), without a log.
Result<Sequences> sequences_of_movielens(const std::string& folder);

}  // namespace millrace::train
