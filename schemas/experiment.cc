#include "schemas/experiment.h"

#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"

namespace millrace {

void fill(proto::Experiment& message, const Experiment& experiment) {
  message.set_id(experiment.id);
  message.set_name(experiment.name);
  message.set_kind(static_cast<std::uint32_t>(experiment.kind));
  for (const auto& variant : experiment.variants) {
    auto& out = *message.add_variant();
    out.set_name(variant.name);
    out.set_algorithm(variant.algorithm);
    out.set_share(variant.share);
    for (const auto& [name, value] : variant.options) {
      out.add_option(name);
      out.add_option_value(value);
    }
  }
  for (const auto& metric : experiment.metrics) message.add_metric(metric);
  message.set_start_ms(experiment.start);
  message.set_end_ms(experiment.end);
  message.set_minimum_sample_size(experiment.minimum_sample_size);
}

Result<Experiment> experiment_of(const proto::Experiment& message) {
  const auto size = static_cast<std::size_t>(message.variant_size());
  if (message.id().empty() || size < 2 || size > kMaxVariants || message.metric_size() == 0 ||
      message.kind() > static_cast<std::uint32_t>(ExperimentKind::kInterleaving)) {
    return corrupt_bytes("experiment");
  }
  Experiment experiment;
  experiment.id = message.id();
  experiment.name = message.name();
  experiment.kind = static_cast<ExperimentKind>(message.kind());
  std::uint64_t whole = 0;
  for (const auto& one : message.variant()) {
    if (one.option_size() != one.option_value_size()) return corrupt_bytes("experiment");
    Variant variant{one.name(), one.algorithm(), {}, one.share()};
    for (int i = 0; i < one.option_size(); ++i) {
      variant.options.emplace_back(one.option(i), one.option_value(i));
    }
    whole += variant.share;
    experiment.variants.push_back(std::move(variant));
  }
  if (whole != kWholeTraffic) return corrupt_bytes("experiment: its shares are not the whole");
  experiment.metrics.assign(message.metric().begin(), message.metric().end());
  experiment.start = message.start_ms();
  experiment.end = message.end_ms();
  experiment.minimum_sample_size = message.minimum_sample_size();
  return experiment;
}

}  // namespace millrace
