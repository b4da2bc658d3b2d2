#include "serving/surfaces/live_quality.h"

#include "processors/prequential/blend_record.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

using processors::BlendWeights;
using processors::Moment;
using processors::Segment;

void append_weights(JsonWriter& out, std::string_view name, const BlendWeights::Row& row) {
  out.key(name);
  out.begin_object();
  for (const auto& part : processors::kBlendParts) out.member(part.name, row.*part.weight);
  out.end_object();
}

void append_ranker(JsonWriter& out, std::string_view name, const processors::RankerScore& score) {
  out.begin_object();
  out.member("ranker", name);
  out.member("predictions", score.predictions());
  out.member("hit_rate@10", score.hit_rate());
  out.member("mrr@10", score.mrr());
  out.member("recent_hit_rate@10", score.recent_hit_rate());
  out.member("recent_mrr@10", score.recent_mrr());
  out.end_object();
}

// The weights in force, and those that are learned next.
void append_blend(JsonWriter& out, const processors::BlendLearner& learner, const Deps& deps) {
  const auto kept = deps.engine->catalog().blend();
  const bool learning = deps.engine->prequential().learns();
  const auto in_force = learning ? processors::weights_of(kept->blend) : processors::BlendWeights();
  const auto rests_on = processors::learner_of(kept->blend);
  const auto next = learner.weights();
  out.begin_object();
  out.member("learning", learning);
  out.member("version", kept->version);
  append_time(out, "since", kept->created);
  out.key("rows");
  out.begin_array();
  for (const auto segment : {Segment::kNew, Segment::kLight, Segment::kHeavy}) {
    for (const auto moment : {Moment::kHere, Moment::kAway, Moment::kPast}) {
      out.begin_object();
      out.member("segment", processors::segment_name(segment));
      out.member("moment", processors::moment_name(moment));
      append_weights(out, "weights", in_force.row(segment, moment));
      out.member("predictions", learning ? rests_on.predictions(segment, moment) : 0);
      append_weights(out, "next_weights", next.row(segment, moment));
      out.member("next_predictions", learner.predictions(segment, moment));
      out.end_object();
    }
  }
  out.end_array();
  out.end_object();
}

}  // namespace

void append_live_quality(JsonWriter& out, const Deps& deps) {
  const auto figures = deps.engine->prequential().figures();
  out.key("live");
  out.begin_object();
  out.key("rankers");
  out.begin_array();
  for (const auto& [name, score] : figures.rankers) append_ranker(out, name, score);
  out.end_array();
  out.key("blend");
  append_blend(out, figures.learner, deps);
  out.end_object();
}

}  // namespace millrace::serving
