#include "state/blends.h"

#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "schemas/proto/records.pb.h"
#include "schemas/stored_message.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

std::string row_of(const KeptBlend& kept) {
  proto::Blend blend;
  fill(blend, kept.blend);
  proto::KeptBlendRow row;
  row.set_blend(blend.SerializeAsString());
  row.set_version(kept.version);
  row.set_created_ms(kept.created);
  return row.SerializeAsString();
}

}  // namespace

CommandVerdict Blends::apply(const PutBlend& put, UnixMillis log_time) {
  const KeptBlend kept{put.blend, now_->version + 1, log_time};
  rows_.put(catalog_keys::of(catalog_keys::kBlend), row_of(kept));
  now_ = std::make_shared<const KeptBlend>(kept);
  return {kept.version == 1 ? CommandOutcome::kCreated : CommandOutcome::kReplaced, kept.version};
}

Status Blends::restore(std::string_view row) {
  proto::KeptBlendRow message;
  proto::Blend stored;
  if (!parse_message(message, row) || !parse_message(stored, message.blend())) {
    return corrupt_bytes("blend's row");
  }
  MILLRACE_TRY(auto blend, blend_of(stored));
  now_ = std::make_shared<const KeptBlend>(
      KeptBlend{std::move(blend), message.version(), message.created_ms()});
  return {};
}

}  // namespace millrace::state
