#include "schemas/blend.h"

#include <utility>

#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"

namespace millrace {
namespace {

constexpr int kMostRows = 64;
constexpr int kMostWeights = 64;  // of a row

}  // namespace

void fill(proto::Blend& message, const Blend& blend) {
  for (const auto& row : blend.rows) {
    auto& out = *message.add_row();
    out.set_segment(row.segment);
    out.set_moment(row.moment);
    out.set_predictions(row.predictions);
    for (const auto& [part, millionths] : row.weights) {
      auto& weight = *out.add_weight();
      weight.set_part(part);
      weight.set_millionths(millionths);
    }
  }
}

Result<Blend> blend_of(const proto::Blend& message) {
  if (message.row_size() > kMostRows) return corrupt_bytes("blend: too many rows");
  Blend blend;
  for (const auto& row : message.row()) {
    if (row.weight_size() > kMostWeights) return corrupt_bytes("blend: too many weights");
    Blend::Row out{row.segment(), row.moment(), row.predictions(), {}};
    for (const auto& weight : row.weight())
      out.weights.push_back({weight.part(), weight.millionths()});
    blend.rows.push_back(std::move(out));
  }
  return blend;
}

}  // namespace millrace
