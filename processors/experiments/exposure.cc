#include "processors/experiments/exposure.h"

#include <algorithm>
#include <utility>

#include "processors/apply.h"
#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

std::uint32_t* find_shown(state::Served& served, std::uint32_t item) {
  const auto same = [item](std::uint32_t one) {
    return (one & ~(state::kShownCredited | state::kShownSecond)) == item;
  };
  const auto found = std::find_if(served.shown.begin(), served.shown.end(), same);
  return found == served.shown.end() ? nullptr : &*found;
}

void click_on(state::Person& person, state::Trial& trial, const InteractionView& interaction) {
  const auto named =
      interaction.recommendation_id.empty() ? 0 : record_hash(interaction.recommendation_id);
  const auto item = state::shown_item(interaction.item);
  for (auto served = person.served.rbegin(); served != person.served.rend(); ++served) {
    if (served->experiment != trial.experiment) continue;
    auto* const shown = find_shown(*served, item);
    if (named == 0 ? shown == nullptr : served->recommendation != named) continue;
    if (!std::exchange(served->credited, true)) ++trial.clicks;
    if (shown != nullptr && (*shown & state::kShownCredited) == 0) {
      *shown |= state::kShownCredited;
      ++trial.credits[(*shown & state::kShownSecond) != 0 ? 1 : 0];
    }
    return;
  }
}

}  // namespace

void expose(state::PartitionStore& store, state::Person& person, const Impression& impression) {
  auto& served = person.served.back();
  served.experiment = state::experiment_key(impression.experiment);
  for (std::size_t i = 0; i < std::min(impression.items.size(), state::kShownKept); ++i) {
    const bool second = i < impression.second.size() && impression.second[i];
    served.shown.push_back(state::shown_item(impression.items[i].value) |
                           (second ? state::kShownSecond : 0));
  }
  auto& trials = person.trials;
  auto trial = std::find_if(trials.begin(), trials.end(), [&served](const state::Trial& one) {
    return one.experiment == served.experiment;
  });
  const bool fresh = trial == trials.end();
  if (fresh) {
    if (trials.size() == state::kTrialsKept) trials.erase(trials.begin());
    trial = trials.insert(trials.end(), {served.experiment, impression.arm});
  }
  // Whoever was once of a variant counts for it: assignment never changes.
  const auto before = *trial;
  ++trial->exposures;
  trial->shown = store.applied().log_time;
  store.trials().replace(fresh ? nullptr : &before, &*trial);
}

void credit(state::PartitionStore& store, state::Person& person, const InteractionView& interaction,
            bool click) {
  const bool converts = interaction.type_number == static_cast<std::uint32_t>(BuiltIn::kPurchase);
  if (!click && !converts) return;
  for (auto& trial : person.trials) {
    if (store.applied().log_time - trial.shown > state::kTrialWindowMs) continue;
    const auto before = trial;
    if (converts) {
      ++trial.conversions;
    } else {
      click_on(person, trial, interaction);
    }
    if (!(trial == before)) store.trials().replace(&before, &trial);
  }
}

}  // namespace millrace::processors
