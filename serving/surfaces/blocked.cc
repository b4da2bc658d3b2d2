#include "serving/surfaces/blocked.h"

#include <utility>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/time_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxAddress = 64;
constexpr std::size_t kMaxReason = 256;
constexpr std::int64_t kMaxSeconds = 10LL * 366 * 24 * 3'600;

Reply not_blocked() {
  return problem({Code::kNotFound, "this address is not blocked as such", {}});
}

void append_block(JsonWriter& out, const state::Block& block) {
  out.begin_object();
  out.member("address", block.range.text());
  out.member("reason", block.reason);
  out.member("since", rfc3339(block.since));
  append_time(out, "until", block.until);
  out.member("automatic", block.automatic);
  out.end_object();
}

Result<AddressRange> range_of(std::string_view text) {
  auto range = AddressRange::parse(text);
  if (!range) return fail(Code::kInvalid, range.error().detail, "address");
  return range;
}

Reply list_blocked(const Request& request, const Deps& deps) {
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto after = cursor_param(request);
  if (!after) return problem(after.error());
  const auto blocks = deps.engine->catalog().blocks();
  auto at = blocks->all().begin();
  if (!after->empty()) {
    const auto range = AddressRange::parse(*after);
    if (!range)
      return problem({Code::kInvalid, "must be one that an earlier answer gave", "cursor"});
    at = blocks->all().upper_bound(*range);
  }
  std::string body;
  std::string last;
  std::size_t shown = 0;
  JsonWriter out(body);
  out.begin_object();
  out.key("blocked");
  out.begin_array();
  for (; at != blocks->all().end() && shown < *limit; ++at) {
    if (!at->second.holds(deps.clock->now())) continue;
    append_block(out, at->second);
    last = at->first.text();
    ++shown;
  }
  out.end_array();
  if (at != blocks->all().end()) out.member("next_cursor", cursor_of(last));
  out.end_object();
  return json_reply(std::move(body));
}

Result<BlockAddress> block_of(const Request& request, UnixMillis now) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  BlockAddress block;
  MILLRACE_TRY(const auto address, body.required_line("address", kMaxAddress));
  MILLRACE_TRY(block.range, range_of(address));
  MILLRACE_TRY(auto reason, body.line("reason", kMaxReason));
  block.reason = std::move(reason).value_or(std::string());
  MILLRACE_TRY(const auto seconds, body.integer("expires_in_seconds", 1, kMaxSeconds));
  if (seconds) block.until = now + *seconds * 1000;
  return block;
}

Answer block(const Request& request, const Deps& deps) {
  const auto asked = block_of(request, deps.clock->now());
  if (!asked) return problem(asked.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name, range = asked->range](const Position&) {
    const auto outcome = deps.engine->catalog().outcome(name);
    if (outcome == CommandOutcome::kFull) {
      return problem(
          {Code::kConflict,
           std::to_string(state::kMaxBlocks) + " are blocked: end some, or block a range",
           {}});
    }
    const auto blocks = deps.engine->catalog().blocks();
    const auto made = blocks->all().find(range);
    if (made == blocks->all().end()) return not_blocked();
    std::string body;
    JsonWriter out(body);
    append_block(out, made->second);
    return json_reply(std::move(body), outcome == CommandOutcome::kCreated ? 201 : 200);
  };
  return command(deps, {*name, *asked, actor_of(request)}, answer);
}

Answer unblock(const Request& request, const Deps& deps) {
  const auto text = id_param(request, "address");
  if (!text) return problem(text.error());
  const auto range = range_of(*text);
  if (!range) return problem(range.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name](const Position&) {
    const bool gone = deps.engine->catalog().outcome(name) == CommandOutcome::kDeleted;
    return gone ? no_content() : not_blocked();
  };
  return command(deps, {*name, UnblockAddress{*range}, actor_of(request)}, answer);
}

}  // namespace

std::vector<Route> blocked_routes(const Deps& deps) {
  return {
      {"GET", "/v1/admin/blocked", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list_blocked); }},
      {"POST", "/v1/admin/blocked", Policy::kAdmin,
       [deps](const Request& request) { return block(request, deps); }},
      {"DELETE", "/v1/admin/blocked/{address}", Policy::kAdmin,
       [deps](const Request& request) { return unblock(request, deps); }},
  };
}

}  // namespace millrace::serving
