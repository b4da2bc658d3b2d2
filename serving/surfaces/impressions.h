#pragma once
#include <cstddef>
#include <string>

#include "processors/rankers/ranker.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// The items [from, to) that an answer shows of what was ranked.
struct Shown {
  const processors::Query& query;
  const processors::ReadState& read;
  const processors::Ranked& ranked;
  std::size_t from = 0;
  std::size_t to = 0;
};

// The record of the answer `id`.
Impression impression_of(const std::string& id, const Shown& shown);

// Logs the answer `id` for whoever is known or has logged in; what is acted on in its name is
// attributed to it. Costs the answer no waiting.
void log_impression(const Request& request, const Deps& deps, const std::string& id,
                    const Shown& shown);

}  // namespace millrace::serving
