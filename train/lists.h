#pragma once
#include <cstddef>
#include <string>

#include "base/result.h"
#include "processors/training/sequence_model.h"
#include "train/sequences.h"

namespace millrace::train {

// Writes `file`: a line `person<TAB>item,item,…` for everybody, the `limit` items most likely to
// come next that they have not dealt with, best first. `strip_kind`: ids without what is before the
// colon.
Status write_lists(const std::string& file, const processors::SequenceModel& model,
                   const Sequences& data, std::size_t limit, bool strip_kind);

}  // namespace millrace::train
