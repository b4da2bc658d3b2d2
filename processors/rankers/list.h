#pragma once
#include <span>
#include <string_view>

#include "processors/rankers/ranker.h"

namespace millrace::processors {

struct Ranker {
  std::string_view name;
  RankFn rank = nullptr;
  bool personal = false;  // its answers differ from person to person
  bool partial = false;   // it has only items of some property: rank_arranged() fills it up
};

// Every ranking algorithm there is.
std::span<const Ranker> rankers();
// nullptr: no such algorithm.
const Ranker* find_ranker(std::string_view name);

}  // namespace millrace::processors
