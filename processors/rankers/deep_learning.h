#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// What comes next by the sequence model (processors/training/sequence_model.h), asked with the
// person's last items of this instant. The score is the model's logit above the lowest of all
// items', in the parts "sequence" (what the items say), "item" (how often it comes whoever asks)
// and "floor"; differences of scores are logarithms of how much likelier one is than the other.
// What the person has dealt with is left out; untrained, or short of items: as fill_up() does.
Ranked rank_deep_learning(const Query& query, const ReadState& state);

}  // namespace millrace::processors
