#include "serving/surfaces/admin.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/partition_name.h"
#include "serving/surfaces/slow_work.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxWaiting = 16;  // admin requests that wait for the work thread

// ---- status

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void append_partition(JsonWriter& out, const processors::PartitionStatus& status) {
  out.begin_object();
  out.member("partition", partition_name(status.partition));
  out.member("start", status.log_start);
  out.member("end", status.log_end);
  out.member("applied", status.visible);
  out.member("committed", status.committed);
  out.member("lag", std::max<Offset>(0, status.log_end - status.visible));
  if (status.partition != kCatalogPartition) {
    out.member("dedupe_window_hours", status.dedupe_window_hours);
  }
  out.end_object();
}

Reply get_status(const Request&, const Deps& deps) {
  const auto failure = deps.engine->failure();
  const auto writable = deps.log->writable();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("version", deps.options.version);
  out.member("writable", failure.empty() && writable.has_value());
  if (!failure.empty()) {
    out.member("failure", failure);
  } else if (!writable) {
    out.member("failure", writable.error().detail);
  }
  out.key("partitions");
  out.begin_array();
  for (const auto& partition : deps.engine->status()) append_partition(out, partition);
  out.end_array();
  out.key("memory");
  out.begin_object();
  out.member("budget_bytes", deps.options.memory_budget_bytes);
  out.member("accounted_bytes", sum_of(deps.engine->memory_parts()));
  out.member("resident_bytes", resident_bytes());
  out.end_object();
  out.end_object();
  return json_reply(std::move(body));
}

// ---- digests

struct NamedDigest {
  LogPartition partition;
  Offset offset = 0;
  state::Digest digest;
};

Reply digests_reply(const std::vector<NamedDigest>& digests) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("digests");
  out.begin_array();
  for (const auto& [partition, offset, digest] : digests) {
    out.begin_object();
    out.member("partition", partition_name(partition));
    out.member("offset", offset);
    out.member("digest", digest.text());
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

// The catalog's digest is that of its last commit, which does not say its offset: it is the
// published one when nothing was published meanwhile.
Result<NamedDigest> catalog_digest(const Deps& deps) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    const auto& catalog = deps.engine->catalog();
    const auto before = catalog.next_offset();
    MILLRACE_CHECK(deps.engine->commit_all());
    const auto digest = catalog.digest();
    if (catalog.next_offset() == before) return NamedDigest{kCatalogPartition, before, digest};
  }
  return fail(Code::kUnavailable, "the catalog is changing too fast for a digest");
}

Result<std::vector<NamedDigest>> digests_now(const Deps& deps,
                                             const std::optional<LogPartition>& only) {
  std::vector<NamedDigest> digests;
  MILLRACE_CHECK(deps.engine->commit_all());
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    if (only && *only != partition) continue;
    const auto [offset, digest] = deps.engine->store(p).digest();
    digests.push_back({partition, offset, digest});
  }
  if (!only || *only == kCatalogPartition) {
    MILLRACE_TRY(auto catalog, catalog_digest(deps));
    digests.push_back(catalog);
  }
  return digests;
}

tl::unexpected<Error> not_kept(Offset offset) {
  return fail(Code::kNotFound, "the digest at offset " + std::to_string(offset) +
                                   " was not kept: they are at multiples of 65,536, and now");
}

Answer get_digest(const Request& request, const Deps& deps, WorkThread& thread) {
  const auto partition = partition_param(request, deps);
  if (!partition) return problem(partition.error());
  const auto offset = int_param(request, "offset", -1, 0, (std::int64_t{1} << 53) - 1);
  if (!offset) return problem(offset.error());
  if (*offset >= 0 && !*partition) {
    return problem({Code::kInvalid, "is required with an offset", "partition"});
  }
  if (*offset >= 0 && (*partition)->topic == Topic::kInteractions) {
    // Beyond the log's end nobody knows when, or whether, the answer comes.
    if (*offset > deps.log->end(**partition)) return problem(not_kept(*offset).value());
    return Later{[deps, partition = **partition, offset = *offset](auto finish) {
      deps.engine->digest_at(partition.index, offset, [=](Result<state::Digest> digest) {
        finish([=] {
          return digest ? digests_reply({{partition, offset, *digest}}) : problem(digest.error());
        });
      });
    }};
  }
  return on_work_thread(thread, kMaxWaiting,
                        [deps, partition = *partition, offset = *offset]() -> Answer {
                          const auto digests = digests_now(deps, partition);
                          if (!digests) return problem(digests.error());
                          if (offset >= 0 && digests->front().offset != offset) {
                            return problem(not_kept(offset).value());
                          }
                          return digests_reply(*digests);
                        });
}

}  // namespace

std::vector<Route> admin_routes(const Deps& deps) {
  const auto digesting = std::make_shared<WorkThread>();
  return {
      {"GET", "/v1/admin/status", Policy::kAdmin,
       [deps](const Request& request) { return get_status(request, deps); }},
      {"GET", "/v1/admin/digest", Policy::kAdmin,
       [deps, digesting](const Request& request) { return get_digest(request, deps, *digesting); }},
  };
}

}  // namespace millrace::serving
