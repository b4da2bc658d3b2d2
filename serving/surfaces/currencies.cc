#include "serving/surfaces/currencies.h"

#include <utility>

#include "schemas/catalog_record.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/json_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::int64_t kMaxDigits = 4;

Reply no_rate() { return problem({Code::kNotFound, "this currency has no rate", {}}); }

void append_rate(JsonWriter& out, const std::string& code, const Rate& rate) {
  out.begin_object();
  out.member("code", code);
  out.member("rate", rate.value);
  out.member("digits", rate.digits);
  out.end_object();
}

Reply list_rates(const Request&, const Deps& deps) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("currencies");
  out.begin_array();
  for (const auto& [code, rate] : *deps.engine->catalog().rates()) append_rate(out, code, rate);
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Result<std::string> code_param(const Request& request) {
  MILLRACE_TRY(auto code, id_param(request, "currency"));
  MILLRACE_CHECK(check_currency(code));
  return code;
}

Result<Rate> rate_in(const Request& request, const std::string& code) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  const Json* given = body.find("rate");
  if (given == nullptr) return fail(Code::kInvalid, "is required", "rate");
  const bool written = given->kind == JsonKind::kString || given->kind == JsonKind::kNumber;
  MILLRACE_CHECK(check_rate(written ? given->text : std::string()));
  MILLRACE_TRY(const auto digits, body.integer("digits", 0, kMaxDigits));
  return Rate{given->text, digits ? static_cast<std::uint8_t>(*digits) : minor_digits(code)};
}

Answer put_rate(const Request& request, const Deps& deps) {
  const auto code = code_param(request);
  if (!code) return problem(code.error());
  auto rate = rate_in(request, *code);
  if (!rate) return problem(rate.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name, code = *code](const Position&) {
    const auto rates = deps.engine->catalog().rates();
    const auto made = rates->find(code);
    if (made == rates->end()) return no_rate();
    std::string body;
    JsonWriter out(body);
    append_rate(out, code, made->second);
    const bool created = deps.engine->catalog().outcome(name) == CommandOutcome::kCreated;
    return json_reply(std::move(body), created ? 201 : 200);
  };
  return command(deps, {*name, PutRate{*code, *std::move(rate)}, actor_of(request)}, answer);
}

Answer delete_rate(const Request& request, const Deps& deps) {
  const auto code = code_param(request);
  if (!code) return problem(code.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return command(deps, {*name, DeleteRate{*code}, actor_of(request)},
                 [deps, name = *name](const Position&) {
                   const auto outcome = deps.engine->catalog().outcome(name);
                   return outcome == CommandOutcome::kDeleted ? no_content() : no_rate();
                 });
}

}  // namespace

std::vector<Route> currency_routes(const Deps& deps) {
  return {
      {"GET", "/v1/admin/currencies", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list_rates); }},
      {"PUT", "/v1/admin/currencies/{currency}", Policy::kAdmin,
       [deps](const Request& request) { return put_rate(request, deps); }},
      {"DELETE", "/v1/admin/currencies/{currency}", Policy::kAdmin,
       [deps](const Request& request) { return delete_rate(request, deps); }},
  };
}

}  // namespace millrace::serving
