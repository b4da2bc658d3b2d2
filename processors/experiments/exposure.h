#pragma once
#include "schemas/event.h"
#include "schemas/interaction_view.h"
#include "state/partition_store.h"

namespace millrace::processors {

// What applying makes of an experiment's answers: one state::Trial a person, and sums over them.
// Like all facts a function of the log alone: how long an experiment runs is not known here.

// `impression` is of an experiment and has just become the person's newest answer.
void expose(state::PartitionStore& store, state::Person& person, const Impression& impression);

// A person with trials has acted. Within state::kTrialWindowMs of an experiment's last answer
// - a purchase is a conversion,
// - a click (`click`) counts for the answer that it names; without a name for the newest one that
//   shows the item. Each answer counts as clicked once; of interleaving, each of its items once for
//   the variant that put it there.
void credit(state::PartitionStore& store, state::Person& person, const InteractionView& interaction,
            bool click);

}  // namespace millrace::processors
