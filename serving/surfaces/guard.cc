#include "serving/surfaces/guard.h"

#include <cmath>
#include <string>
#include <utility>

#include "base/log.h"
#include "schemas/catalog_record.h"
#include "schemas/json_writer.h"
#include "serving/surfaces/authorize.h"

namespace millrace::serving {
namespace {

// Nobody waits for the answer: who did this gets none.
void append(const Deps& deps, CatalogChange change) {
  deps.log->append(
      {{kCatalogPartition, {}, encode(CatalogRecord{deps.ids->mint(), std::move(change)})}},
      [](const ingest::AppendResult& appended) {
        if (!appended) log_warn("not written to the catalog: " + appended.error().detail);
      });
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

std::string details_of(const Anomaly& anomaly) {
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  out.member("kind", anomaly.kind);
  out.member("value", rounded(anomaly.value));
  out.member("mean", rounded(anomaly.mean));
  out.member("deviation", rounded(anomaly.deviation));
  out.end_object();
  return json;
}

std::string why_blocked(const AddressRules& rules) {
  return std::to_string(rules.failures) + " failed log-ins, bad tokens or unknown paths within " +
         std::to_string(rules.window_ms / 1000) + " seconds";
}

}  // namespace

std::shared_ptr<Gate> make_gate(const Deps& deps, const GateOptions& options,
                                std::int64_t block_ms) {
  Counter& blocked = deps.metrics->counter("addresses_blocked_total",
                                           "Addresses that this node blocked by itself.");
  Counter& rates = deps.metrics->counter(
      "address_anomalies_total", "Addresses that behaved unlike themselves.", {{"kind", "rate"}});
  Counter& failures =
      deps.metrics->counter("address_anomalies_total", "Addresses that behaved unlike themselves.",
                            {{"kind", "failures"}});
  GateLinks links;
  links.blocks = [engine = deps.engine] { return engine->catalog().blocks(); };
  links.caller = [engine = deps.engine, clock = deps.clock](const Request& request) {
    const auto accounts = engine->catalog().accounts();
    return caller_of(request, *accounts, clock->now()).value_or(Caller());
  };
  links.on_abuse = [deps, block_ms, &blocked,
                    reason = why_blocked(options.addresses)](const Address& address) {
    const auto range = AddressRange::network_of(address);
    log_warn("blocking " + range.text() + ": " + reason);
    blocked.inc();
    append(deps, BlockAddress{range, reason, deps.clock->now() + block_ms, true});
  };
  links.on_anomaly = [deps, &rates, &failures](const Address& address, const Anomaly& anomaly) {
    const auto subject = AddressRange::network_of(address).text();
    const auto details = details_of(anomaly);
    log_warn("unusual for " + subject + ": " + details);
    (anomaly.kind == "rate" ? rates : failures).inc();
    append(deps, Notice{NoticeKind::kAnomaly, subject, details});
  };
  return std::make_shared<Gate>(options, std::move(links), *deps.clock);
}

}  // namespace millrace::serving
