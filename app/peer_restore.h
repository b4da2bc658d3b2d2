#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "schemas/node_record.h"

namespace millrace::app {

struct PeerRestore {
  std::string peer;
  std::uint64_t bytes = 0;
  double seconds = 0;
};

using RestoreProgress = std::function<void(std::uint64_t bytes, std::uint64_t of_bytes)>;

using Starts = std::map<LogPartition, Offset>;  // where each partition's log starts

// Makes `state` a copy of a checkpoint of one of the peers, tried in turn with the admin token that
// all nodes share. A part that arrives damaged is not kept; the manifest comes last; the rows are
// added up against it; then all is fsynced and renamed. What ends before the log starts is of no
// use, and not copied. `state` is replaced, or left as it was.
// An error says what each peer said.
Result<PeerRestore> restore_from_peers(const std::vector<NodeRecord>& peers,
                                       const std::string& token, const Starts& starts,
                                       const std::string& state, const RestoreProgress& progress);

}  // namespace millrace::app
