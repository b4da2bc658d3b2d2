#include "serving/surfaces/interactions.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/patterns.h"
#include "serving/surfaces/time_zone.h"
#include "serving/surfaces/track.h"
#include "serving/surfaces/tracked.h"
#include "serving/surfaces/tracked_export.h"

namespace millrace::serving {
namespace {

constexpr std::int64_t kMaxRows = 1'000;
constexpr std::int64_t kMaxOffset = 1'000'000'000;
constexpr std::size_t kRowsPerPiece = 250;
constexpr std::int64_t kQuarterHourMs = 900'000;

// What is asked of whose rows.
struct Asked {
  std::string user;
  state::TrackedQuery query;
  bool all = false;  // what did not come by /interactions/track, too
  const state::PartitionStore* store = nullptr;
};

// A time, or a day: its beginning, or its end.
Result<UnixMillis> date_param(const Request& request, std::string_view name, UnixMillis fallback,
                              bool end) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  if (const auto time = parse_rfc3339(*text)) return *time;
  if (const auto day = parse_rfc3339(std::string(*text) + "T00:00:00Z")) {
    return end ? *day + state::kDayMs - 1 : *day;
  }
  return fail(Code::kInvalid, "must be an ISO 8601 date, or a date and time with its offset",
              std::string(name));
}

Result<Asked> asked_of(const Request& request, const Deps& deps) {
  Asked asked;
  MILLRACE_TRY(asked.user, id_param(request, "user"));
  asked.store = &deps.engine->store(partition_of(asked.user, deps.engine->partitions()));
  MILLRACE_TRY(asked.all, bool_param(request, "all", false));
  auto& query = asked.query;
  if (const auto type = request.query_value("interactionType")) {
    if (!is_tracked_type(*type)) return fail(Code::kInvalid, kTrackedTypeRule, "interactionType");
    query.type = deps.engine->table()->find(*type)->number;
  }
  MILLRACE_TRY(query.from, date_param(request, "startDate", 0, false));
  MILLRACE_TRY(query.to, date_param(request, "endDate", INT64_MAX, true));
  if (query.from > query.to) {
    return fail(Code::kInvalid, "must not lie before startDate", "endDate");
  }
  query.now = deps.clock->now();
  query.retention = asked.store->ruleset().tracked_retention;
  return asked;
}

std::vector<Tracked> with_items(std::vector<state::TrackedRow> rows,
                                const state::TrackedReader& reader) {
  std::vector<Tracked> out;
  out.reserve(rows.size());
  for (auto& row : rows) {
    std::string item(reader.item(row));
    out.push_back({std::move(row), std::move(item)});
  }
  return out;
}

// A page of rows, and how many there are.
struct Page {
  std::size_t total = 0;
  std::vector<Tracked> rows;
};

Result<Page> page_of(const Asked& asked, std::size_t offset, std::size_t limit, const Deps& deps) {
  Page page;
  if (asked.all) {
    MILLRACE_TRY(page.rows, all_rows(asked.user, asked.query, deps));
    page.total = page.rows.size();
    const auto begin =
        page.rows.begin() + static_cast<std::ptrdiff_t>(std::min(offset, page.total));
    page.rows.erase(page.rows.begin(), begin);
    if (page.rows.size() > limit) page.rows.resize(limit);
    return page;
  }
  MILLRACE_TRY(const auto reader, asked.store->tracked(asked.user));
  MILLRACE_TRY(const auto sums, reader.sums(asked.query));
  for (const auto& one : sums) page.total += one.count;
  MILLRACE_TRY(auto rows, reader.page(asked.query, sums, offset, limit));
  page.rows = with_items(std::move(rows), reader);
  return page;
}

Reply get_history(const Request& request, const Deps& deps) {
  const auto limit = int_param(request, "limit", 50, 1, kMaxRows);
  if (!limit) return problem(limit.error());
  const auto offset = int_param(request, "offset", 0, 0, kMaxOffset);
  if (!offset) return problem(offset.error());
  const auto asked = asked_of(request, deps);
  if (!asked) return problem(asked.error());
  const auto page =
      page_of(*asked, static_cast<std::size_t>(*offset), static_cast<std::size_t>(*limit), deps);
  if (!page) return problem(page.error());
  const TrackedPrinter printer(deps, asked->user, true);
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("total", page->total);
  out.member("limit", *limit);
  out.member("offset", *offset);
  out.key("interactions");
  out.begin_array();
  for (const auto& row : page->rows) printer.append_json(out, row);
  out.end_array();
  out.end_object();
  return personal(json_reply(std::move(body)));
}

// ?utcOffset=+02:00, -05:30 or Z, or ?timeZone=Europe/Berlin; UTC without.
Result<TimeZone> zone_param(const Request& request) {
  const auto offset = request.query_value("utcOffset");
  const auto name = request.query_value("timeZone");
  if (offset && name) return fail(Code::kInvalid, "must not be given with utcOffset", "timeZone");
  if (name) {
    const auto zone = TimeZone::named(*name);
    if (!zone) return fail(Code::kInvalid, "must be an IANA time zone: Europe/Berlin", "timeZone");
    return *zone;
  }
  if (!offset) return TimeZone();
  // The time of day that is midnight in UTC says how far the zone is ahead.
  const auto there = parse_rfc3339("2000-01-02T00:00:00" + std::string(*offset));
  const auto here = parse_rfc3339("2000-01-02T00:00:00Z");
  if (!there || (*here - *there) % kQuarterHourMs != 0) {
    return fail(Code::kInvalid, "must be Z or whole quarters of an hour: +02:00, -05:30",
                "utcOffset");
  }
  return TimeZone::ahead(*here - *there);
}

Result<std::vector<state::TrackedSums>> sums_of(const Asked& asked, const Deps& deps) {
  if (!asked.all) {
    MILLRACE_TRY(const auto reader, asked.store->tracked(asked.user));
    return reader.sums(asked.query);
  }
  MILLRACE_TRY(const auto rows, all_rows(asked.user, asked.query, deps));
  std::vector<state::TrackedSums> sums;
  for (const auto& [row, item] : rows) contribute(sums, row, state::kind_of_id(item), 1);
  return sums;
}

Reply get_patterns(const Request& request, const Deps& deps) {
  const auto zone = zone_param(request);
  if (!zone) return problem(zone.error());
  const auto asked = asked_of(request, deps);
  if (!asked) return problem(asked.error());
  const auto sums = sums_of(*asked, deps);
  if (!sums) return problem(sums.error());
  return personal(json_reply(patterns_body(*sums, *zone, *deps.engine->table())));
}

// Tracked rows by slices, each read where the one before has ended.
RowSource tracked_source(const Asked& asked) {
  auto below = std::make_shared<Offset>(INT64_MAX);
  return [asked, below]() -> Result<std::vector<Tracked>> {
    MILLRACE_TRY(const auto reader, asked.store->tracked(asked.user));
    if (*below == INT64_MAX && asked.query.to != INT64_MAX) {
      MILLRACE_TRY(const auto sums, reader.sums(asked.query));
      MILLRACE_TRY(auto first, reader.page(asked.query, sums, 0, 1));
      *below = first.empty() ? 0 : first.front().id + 1;
    }
    MILLRACE_TRY(auto rows, reader.rows(asked.query, *below, 0, kRowsPerPiece));
    if (!rows.empty()) *below = rows.back().id;
    return with_items(std::move(rows), reader);
  };
}

RowSource history_source(const Asked& asked, const Deps& deps) {
  return [asked, deps, left = std::make_shared<std::vector<Tracked>>(), begun = false,
          at = std::size_t{0}]() mutable -> Result<std::vector<Tracked>> {
    if (!std::exchange(begun, true)) {
      MILLRACE_TRY(*left, all_rows(asked.user, asked.query, deps));
    }
    const auto end = std::min(at + kRowsPerPiece, left->size());
    const auto piece = [&](std::size_t i) {
      return left->begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::vector<Tracked> rows(piece(at), piece(end));
    at = end;
    return rows;
  };
}

Reply get_export(const Request& request, const Deps& deps, Exports& exports) {
  const auto format = request.query_value("format").value_or("json");
  if (format != "json" && format != "csv") {
    return problem({Code::kInvalid, "must be json or csv", "format"});
  }
  const auto mood = bool_param(request, "includeMoodData", true);
  if (!mood) return problem(mood.error());
  const auto asked = asked_of(request, deps);
  if (!asked) return problem(asked.error());
  const bool csv = format == "csv";
  Reply reply;
  if (csv) reply.content_type = "text/csv; charset=utf-8";
  reply.stream = exports.stream(tracked_file(
      csv ? ExportFormat::kCsv : ExportFormat::kJson, TrackedPrinter(deps, asked->user, *mood),
      asked->all ? history_source(*asked, deps) : tracked_source(*asked)));
  reply.headers.emplace_back("Content-Disposition",
                             "attachment; filename=\"interactions." + std::string(format) + "\"");
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

}  // namespace

std::vector<Route> interaction_routes(const Deps& deps) {
  const auto read = [&deps](Reply (*answer)(const Request&, const Deps&)) -> Handler {
    return [deps, answer](const Request& request) { return when_visible(request, deps, answer); };
  };
  const auto exports = std::make_shared<Exports>(*deps.metrics);
  const Handler give_export = [deps, exports](const Request& request) {
    return when_visible(request, deps, [exports](const Request& seen, const Deps& with) {
      return get_export(seen, with, *exports);
    });
  };
  return {{"POST", "/interactions/track", Policy::kIngest,
           [deps](const Request& request) { return track(request, deps); }},
          {"POST", "/interactions/track/bulk", Policy::kIngest,
           [deps](const Request& request) { return track_bulk(request, deps); }},
          {"GET", "/interactions/history/{user}", Policy::kSelfOrAdmin, read(get_history)},
          {"GET", "/interactions/patterns/{user}", Policy::kSelfOrAdmin, read(get_patterns)},
          {"GET", "/interactions/export/{user}", Policy::kSelfOrAdmin, give_export}};
}

}  // namespace millrace::serving
