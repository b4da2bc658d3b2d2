#include "processors/expiry.h"

#include <utility>
#include <vector>

#include "schemas/record.h"

namespace millrace::processors {

Result<Expiry> demand_expiry(const Engine& engine, ingest::EventLog& log, UnixMillis now) {
  Expiry expiry;
  for (std::uint16_t p = 0; p < engine.partitions(); ++p) {
    const auto& store = engine.store(p);
    MILLRACE_TRY(const auto people,
                 store.people_to_expire(now, store.ruleset().tracked_retention, kExpireAtOnce));
    if (people.empty()) continue;
    std::vector<ingest::Append> demands;
    demands.reserve(people.size());
    for (const auto& user : people) {
      demands.push_back(
          {{Topic::kInteractions, p}, user, encode(LogRecord{ExpireTracked{UserId(user)}})});
    }
    auto appended = log.append_and_wait(std::move(demands));
    if (!appended) return tl::unexpected<Error>(appended.error());
    expiry.people += people.size();
    expiry.more |= people.size() == kExpireAtOnce;
  }
  return expiry;
}

}  // namespace millrace::processors
