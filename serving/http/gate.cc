#include "serving/http/gate.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "schemas/rfc3339.h"
#include "serving/http/problem.h"

namespace millrace::serving {
namespace {

constexpr std::uint64_t kService = std::uint64_t{1} << 63;
constexpr std::uint64_t kAddress = std::uint64_t{1} << 62;
constexpr std::int64_t kHourMs = 3'600'000;

std::uint64_t key_of(const Caller& caller) {
  return caller.account.value != 0 ? caller.account.value : kService | caller.token.value;
}

std::array<TokenBuckets, kAllowances> buckets_of(const AllowanceRules& rules) {
  const auto hourly = [](std::uint32_t n) { return BucketRate{n, n, kHourMs}; };
  return {TokenBuckets(0), TokenBuckets(rules.api_per_minute),
          TokenBuckets(hourly(rules.trainings_per_hour)),
          TokenBuckets(hourly(rules.bulk_per_hour))};
}

// What is shown is the limit that is reached first.
void note(Request& request, std::uint32_t limit, const TokenBucket::Taken& taken) {
  if (limit == 0 || (request.limit.limit != 0 && request.limit.left <= taken.left)) return;
  request.limit = {limit, taken.left, static_cast<std::uint32_t>((taken.refill_ms + 999) / 1000)};
}

Reply too_many(const BucketRate& rate, const char* of_whom, std::int64_t wait_ms) {
  return problem({Code::kExhausted,
                  "more than " + std::to_string(rate.tokens) + " requests " +
                      (rate.period_ms == kHourMs ? "an hour" : "a minute") + " of this " + of_whom +
                      ": wait a little",
                  {}},
                 wait_ms);
}

// One element of X-Forwarded-For: an address, perhaps in brackets, perhaps with a port.
std::optional<Address> forwarded(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  return Address::parse(text);
}

}  // namespace

Gate::Gate(GateOptions options, GateLinks links, const Clock& clock)
    : options_(std::move(options)),
      links_(std::move(links)),
      clock_(clock),
      cors_(options_.cors_origins),
      addresses_(options_.addresses),
      callers_(options_.per_caller),
      allowances_(buckets_of(options_.allowances)) {}

bool Gate::trusts(const Address& address) const {
  return std::any_of(options_.trusted_proxies.begin(), options_.trusted_proxies.end(),
                     [&](const auto& range) { return range.contains(address); });
}

// Each proxy adds, at the right, who asked it: what stands left of the first that is not trusted
// may be anybody's invention.
Address Gate::client_of(const Request& request) const {
  Address client = request.address;
  if (!trusts(client)) return client;
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (header->first != "x-forwarded-for") continue;
    std::string_view rest = header->second;
    for (bool more = true; more;) {
      const auto comma = rest.rfind(',');
      more = comma != std::string_view::npos;
      const auto next = forwarded(more ? rest.substr(comma + 1) : rest);
      if (!next) return client;
      client = *next;
      if (!trusts(client)) return client;
      rest = rest.substr(0, more ? comma : 0);
    }
  }
  return client;
}

std::optional<Reply> Gate::admit(Request& request) {
  request.address = client_of(request);
  const auto network = request.address.network();
  const auto [taken, anomaly] = addresses_.request(network, clock_.now());
  if (anomaly && links_.on_anomaly) links_.on_anomaly(network, *anomaly);
  const auto limit = options_.addresses.per_minute;
  note(request, limit, taken);
  if (taken.allowed) return std::nullopt;
  return too_many({limit}, "address", taken.wait_ms);
}

std::optional<Reply> Gate::admit_caller(Request& request) {
  const Caller& caller = request.caller;
  if (options_.per_caller == 0 || caller.token.value == 0) return std::nullopt;
  const auto taken = callers_.take(key_of(caller), clock_.now());
  note(request, options_.per_caller, taken);
  if (taken.allowed) return std::nullopt;
  return too_many(callers_.rate(), "credential", taken.wait_ms);
}

std::optional<Reply> Gate::admit_route(Request& request, Allowance allowance) {
  auto& buckets = allowances_[static_cast<std::size_t>(allowance)];
  if (buckets.rate().tokens == 0) return std::nullopt;
  const Caller caller = links_.caller ? links_.caller(request) : Caller();
  const bool known = caller.token.value != 0;
  const auto key = known ? key_of(caller) : kAddress | request.address.network().hash() >> 2;
  const auto taken = buckets.take(key, clock_.now());
  note(request, buckets.rate().tokens, taken);
  if (taken.allowed) return std::nullopt;
  return too_many(buckets.rate(), known ? "credential" : "address", taken.wait_ms);
}

std::optional<Reply> Gate::refuse_blocked(const Request& request) const {
  if (!links_.blocks) return std::nullopt;
  const auto blocks = links_.blocks();
  if (blocks->empty()) return std::nullopt;
  const auto now = clock_.now();
  const auto* block = blocks->find(request.address, now);
  if (block == nullptr) return std::nullopt;
  const auto until = block->until == 0 ? std::string() : " until " + rfc3339(block->until);
  auto reply = problem({Code::kForbidden, "this address is blocked" + until, {}});
  if (block->until != 0) {
    reply.headers.emplace_back("Retry-After", std::to_string((block->until - now + 999) / 1000));
  }
  return reply;
}

void Gate::failed(const Address& client) {
  const auto network = client.network();
  const auto [abuse, anomaly] = addresses_.failure(network, clock_.now());
  if (anomaly && links_.on_anomaly) links_.on_anomaly(network, *anomaly);
  if (abuse && links_.on_abuse) links_.on_abuse(network);
}

}  // namespace millrace::serving
