#pragma once
#include "processors/prequential/blend_learner.h"
#include "processors/rankers/blend_weights.h"
#include "schemas/blend.h"
#include "state/blends.h"

namespace millrace::processors {

// As the catalog has it. Parts that this program does not know are left out; what a blend does not
// speak of is as chosen.
Blend blend_of(const BlendLearner& learner);
BlendWeights weights_of(const Blend& blend);
// A learner that goes on where a blend left off.
BlendLearner learner_of(const Blend& blend);

std::string_view segment_name(Segment segment);  // new, light, heavy
std::string_view moment_name(Moment moment);     // here, away, past

}  // namespace millrace::processors
