#include "serving/surfaces/ranking_rules.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "schemas/catalog_record.h"
#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxRuleIdBytes = 64;
constexpr std::size_t kMaxFieldBytes = 128;
constexpr std::array kKinds = {"pin", "boost", "bury", "quota"};  // by RuleKind

Reply no_rule() { return problem({Code::kNotFound, "no rule has this id", {}}); }

void append_rule(JsonWriter& out, const RankingRule& rule, UnixMillis now) {
  out.begin_object();
  out.member("id", rule.id);
  out.member("kind", kKinds[static_cast<std::size_t>(rule.kind)]);
  if (rule.kind == RuleKind::kPin) {
    out.member("item", rule.item.value);
    out.member("place", rule.place);
  } else {
    out.member("field", rule.field);
    if (!rule.value.empty()) out.member("value", rule.value);
  }
  if (rule.kind == RuleKind::kBoost) out.member("factor", rule.factor);
  if (rule.kind == RuleKind::kQuota) out.member("most", rule.most);
  if (rule.start != 0) out.member("start", rfc3339(rule.start));
  if (rule.end != 0) out.member("end", rfc3339(rule.end));
  out.member("in_force", rule.in_force(now));
  out.end_object();
}

Reply rule_reply(const Deps& deps, const std::string& id, int status) {
  const auto view = deps.engine->catalog().view();
  const auto found = view->ranking_rules().find(id);
  if (found == view->ranking_rules().end()) return no_rule();
  std::string body;
  JsonWriter out(body);
  append_rule(out, found->second, deps.clock->now());
  return json_reply(std::move(body), status);
}

// ---- what is asked for

Result<RuleKind> kind_in(const JsonBody& body) {
  MILLRACE_TRY(const auto name, body.required_line("kind", kMaxFieldBytes));
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (name == kKinds[i]) return static_cast<RuleKind>(i);
  }
  return fail(Code::kInvalid, "must be pin, boost, bury or quota", "kind");
}

Result<UnixMillis> moment_in(const JsonBody& body, const char* name) {
  MILLRACE_TRY(const auto text, body.line(name, kMaxFieldBytes));
  if (!text) return UnixMillis{0};
  const auto time = parse_rfc3339(*text);
  if (!time || *time < 0) return fail(Code::kInvalid, "must be a time of RFC 3339", name);
  return *time;
}

Result<double> factor_in(const JsonBody& body) {
  const Json* given = body.find("factor");
  double factor = 0;
  if (given == nullptr || given->kind != JsonKind::kNumber) {
    return fail(Code::kInvalid, "must be a number from 0.01 to 100", "factor");
  }
  const auto& text = given->text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), factor);
  if (parsed.ec != std::errc() || !std::isfinite(factor)) {
    return fail(Code::kInvalid, "must be a number from 0.01 to 100", "factor");
  }
  return factor;
}

Result<std::uint32_t> count_in(const JsonBody& body, const char* name, std::int64_t low) {
  MILLRACE_TRY(const auto number, body.integer(name, low, kMostPlace));
  if (!number) return fail(Code::kInvalid, "is required", name);
  return static_cast<std::uint32_t>(*number);
}

Result<RankingRule> rule_in(const Request& request) {
  RankingRule rule;
  MILLRACE_TRY(rule.id, id_param(request, "id"));
  if (rule.id.size() > kMaxRuleIdBytes) {
    return fail(Code::kInvalid, "must be at most 64 bytes", "id");
  }
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  MILLRACE_TRY(rule.kind, kind_in(body));
  MILLRACE_TRY(rule.start, moment_in(body, "start"));
  MILLRACE_TRY(rule.end, moment_in(body, "end"));
  if (rule.kind == RuleKind::kPin) {
    MILLRACE_TRY(auto item, body.required_line("item", kMaxIdBytes));
    rule.item = ItemId(std::move(item));
    MILLRACE_TRY(rule.place, count_in(body, "place", 1));
  } else {
    MILLRACE_TRY(rule.field, body.required_line("field", kMaxFieldBytes));
    MILLRACE_TRY(auto value, body.line("value", kMaxFieldBytes));
    rule.value = std::move(value).value_or(std::string());
  }
  if (rule.kind == RuleKind::kBoost) {
    MILLRACE_TRY(rule.factor, factor_in(body));
  }
  if (rule.kind == RuleKind::kQuota) {
    MILLRACE_TRY(rule.most, count_in(body, "most", 0));
  }
  MILLRACE_CHECK(check_rule(rule));
  return rule;
}

// ---- routes

Answer put_rule(const Request& request, const Deps& deps) {
  auto rule = rule_in(request);
  if (!rule) return problem(rule.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name, id = rule->id](const Position&) {
    const auto outcome = deps.engine->catalog().outcome(name);
    if (!outcome) return outcome_unknown(name);
    if (*outcome == CommandOutcome::kFull) {
      return problem({Code::kConflict, "there are 200 rules already", {}});
    }
    return rule_reply(deps, id, *outcome == CommandOutcome::kCreated ? 201 : 200);
  };
  return command(deps, {*name, PutRule{*std::move(rule)}, actor_of(request)}, answer);
}

Reply list_rules(const Request&, const Deps& deps) {
  const auto view = deps.engine->catalog().view();
  const auto now = deps.clock->now();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("rules");
  out.begin_array();
  for (const auto& [id, rule] : view->ranking_rules()) append_rule(out, rule, now);
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

// "No such thing" is said only behind the end of the catalog.
template <class Go>
Answer with_rule(const Deps& deps, const Position& position, const std::string& id, Go go) {
  if (!deps.engine->catalog().view()->ranking_rules().contains(id)) {
    return behind_catalog(deps, position, go);
  }
  return go();
}

Answer get_rule(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  return with_rule(deps, *position, *id, [deps, id = *id, position = *position]() -> Answer {
    return when_reached(deps, position, [deps, id] { return rule_reply(deps, id, 200); });
  });
}

Answer delete_rule(const Request& request, const Deps& deps) {
  const auto id = id_param(request, "id");
  if (!id) return problem(id.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return with_rule(
      deps, {}, *id, [deps, id = *id, name = *name, actor = actor_of(request)]() -> Answer {
        return command(deps, {name, DeleteRule{id}, actor}, [deps, name](const Position&) {
          const auto gone = deps.engine->catalog().outcome(name) == CommandOutcome::kDeleted;
          return gone ? no_content() : no_rule();
        });
      });
}

}  // namespace

std::vector<Route> ranking_rule_routes(const Deps& deps) {
  const auto with = [&deps](auto handler) {
    return [deps, handler](const Request& request) -> Answer { return handler(request, deps); };
  };
  return {
      {"GET", "/v1/admin/rules", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list_rules); }},
      {"GET", "/v1/admin/rules/{id}", Policy::kAdmin, with(get_rule)},
      {"PUT", "/v1/admin/rules/{id}", Policy::kAdmin, with(put_rule)},
      {"DELETE", "/v1/admin/rules/{id}", Policy::kAdmin, with(delete_rule)},
  };
}

}  // namespace millrace::serving
