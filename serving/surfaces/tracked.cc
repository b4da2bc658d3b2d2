#include "serving/surfaces/tracked.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "schemas/account.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "state/history.h"

namespace millrace::serving {
namespace {

constexpr std::string_view kContent = "content:";
constexpr UnixMillis kDayMs = 86'400'000;
constexpr double kCorrelated = 0.1;   // from here on moods go with what is done
constexpr double kTrendShare = 0.25;  // of the mean day: less change than that is stable

std::string content_of(const std::string& item) {
  return item.starts_with(kContent) ? item.substr(kContent.size()) : item;
}

Tracked row_of(const state::HistoryItem& entry, std::uint16_t partition,
               const InteractionType* type, const state::CatalogView& catalog) {
  const Event& event = entry.event;
  const auto time = event.time.value_or(entry.log_time);
  Tracked row;
  row.id = (static_cast<std::uint64_t>(entry.offset) << 16) + partition;
  row.content = content_of(event.item.value);
  const auto* item = catalog.find(entry.item);
  row.kind =
      item != nullptr ? item->item.kind : event.item.value.substr(0, event.item.value.find(':'));
  row.type = type == nullptr ? std::string() : type->name;
  row.weight = type == nullptr ? 0 : type->weight;
  // Stars are half of what the seed counts in.
  if (event.value_centi) row.value = *event.value_centi / (row.type == "rate" ? 50 : 100);
  row.mood = event.mood;
  row.intensity = event.mood_intensity;
  row.duration_s = event.duration_s;
  row.context = event.context;
  row.notes = event.notes;
  row.created = row.updated = time;
  return row;
}

// The most frequent; of equals the first by text. Empty without any.
template <class Name>
std::string most_common(const std::vector<Tracked>& rows, const Name& name) {
  std::map<std::string, std::size_t> counts;
  for (const auto& row : rows) ++counts[name(row)];
  std::string best;
  std::size_t most = 0;
  for (const auto& [text, count] : counts) {
    if (count > most) {
      best = text;
      most = count;
    }
  }
  return best;
}

// Pearson's between the mood's intensity and the value or, without one, the type's weight. Nothing
// under three points, or where one of the two never changes.
std::optional<double> mood_correlation(const std::vector<Tracked>& rows) {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (const auto& row : rows) {
    if (!row.intensity) continue;
    const double a = *row.intensity;
    const auto b = row.value ? static_cast<double>(*row.value) : static_cast<double>(row.weight);
    n += 1;
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const double spread = (n * xx - x * x) * (n * yy - y * y);
  if (n < 3 || spread <= 0) return std::nullopt;
  return std::clamp((n * xy - x * y) / std::sqrt(spread), -1.0, 1.0);
}

std::string time_of_day(UnixMillis time) {
  const auto hour = (time % kDayMs + kDayMs) % kDayMs / 3'600'000;
  if (hour >= 5 && hour < 12) return "morning";
  if (hour >= 12 && hour < 17) return "afternoon";
  return hour >= 17 && hour < 22 ? "evening" : "night";
}

// Least squares over the counts of all days from the first to the last.
const char* frequency_trend(const std::vector<Tracked>& rows, std::int64_t utc_offset_ms) {
  std::map<std::int64_t, double> days;
  for (const auto& row : rows) ++days[(row.created + utc_offset_ms) / kDayMs];
  const auto first = days.begin()->first;
  const auto n = static_cast<double>(days.rbegin()->first - first + 1);
  if (n < 3) return "stable";
  const double mean_x = (n - 1) / 2, mean_y = static_cast<double>(rows.size()) / n;
  double slope = 0;
  for (const auto& [day, count] : days) {
    slope += (static_cast<double>(day - first) - mean_x) * count;  // days without any add 0
  }
  slope /= n * (n * n - 1) / 12;
  const double change = slope * (n - 1);
  if (change > kTrendShare * mean_y) return "increasing";
  return change < -kTrendShare * mean_y ? "decreasing" : "stable";
}

template <class Value>
void member_or_null(JsonWriter& out, std::string_view name, bool there, const Value& value) {
  out.key(name);
  if (there) {
    out.value(value);
  } else {
    out.value(nullptr);
  }
}

std::string csv_cell(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    text.insert(text.begin(), '\'');
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string item_of_content(std::string_view content) {
  const auto colon = content.find(':');
  const bool names_kind = colon != std::string_view::npos && is_kind(content.substr(0, colon));
  return (names_kind ? "" : std::string(kContent)) + std::string(content);
}

Result<std::vector<Tracked>> tracked_by(const std::string& user, const TrackedQuery& query,
                                        const Deps& deps) {
  const auto partition = partition_of(user, deps.engine->partitions());
  const auto& store = deps.engine->store(partition);
  state::HistoryQuery asked{.limit = SIZE_MAX};
  const auto keep_ms = store.ruleset().history_retention_ms;
  if (keep_ms > 0) asked.keep_after = store.published().log_time - keep_ms;
  if (!query.type.empty()) {
    const auto* type = deps.engine->table()->find(query.type);
    if (type == nullptr)
      return fail(Code::kInvalid, "is no type of interaction", "interactionType");
    asked.type = type->number;
  }
  MILLRACE_TRY(const auto events, store.history(user, asked));
  const auto catalog = deps.engine->catalog().view();
  std::map<std::pair<state::ItemIndex, std::uint32_t>, Tracked> rows;
  for (const auto& entry : events) {  // newest first
    if (!query.all && entry.event.source != state::kTrackedSource) continue;
    const auto* type = deps.engine->table()->find(entry.type);
    auto row = row_of(entry, partition, type, *catalog);
    const auto [known, fresh] = rows.try_emplace({entry.item, entry.type}, std::move(row));
    if (fresh) continue;
    known->second.id = (static_cast<std::uint64_t>(entry.offset) << 16) + partition;
    known->second.created = entry.event.time.value_or(entry.log_time);
  }
  std::vector<Tracked> out;
  for (auto& [key, row] : rows) {
    if (row.created >= query.from && row.created <= query.to) out.push_back(std::move(row));
  }
  std::sort(out.begin(), out.end(), [](const Tracked& a, const Tracked& b) {
    return a.created != b.created ? a.created > b.created : a.id > b.id;
  });
  return out;
}

std::string patterns_body(const std::vector<Tracked>& rows, std::int64_t utc_offset_ms) {
  const bool any = !rows.empty();
  double seconds = 0, timed = 0;
  for (const auto& row : rows) {
    if (!row.duration_s) continue;
    seconds += *row.duration_s;
    timed += 1;
  }
  const auto mood = mood_correlation(rows);
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("totalInteractions", rows.size());
  out.key("dateRange");
  out.begin_object();
  member_or_null(out, "start", any, any ? rfc3339(rows.back().created) : std::string());
  member_or_null(out, "end", any, any ? rfc3339(rows.front().created) : std::string());
  out.end_object();
  out.key("patterns");
  out.begin_object();
  const auto mode = [&](std::string_view name,
                        const std::function<std::string(const Tracked&)>& of) {
    member_or_null(out, name, any, most_common(rows, of));
  };
  mode("mostCommonType", [](const Tracked& row) { return row.type; });
  member_or_null(out, "averageDuration", timed > 0, timed > 0 ? seconds / timed : 0);
  member_or_null(out, "moodCorrelation", mood.has_value(), mood.value_or(0));
  mode("timeOfDayPattern",
       [&](const Tracked& row) { return time_of_day(row.created + utc_offset_ms); });
  mode("contentTypePreference", [](const Tracked& row) { return row.kind; });
  out.end_object();
  out.key("trends");
  out.begin_object();
  member_or_null(out, "interactionFrequency", any,
                 std::string(any ? frequency_trend(rows, utc_offset_ms) : ""));
  const double r = mood.value_or(0);
  member_or_null(out, "moodCorrelation", mood.has_value(),
                 std::string(r > kCorrelated    ? "positive"
                             : r < -kCorrelated ? "negative"
                                                : "neutral"));
  out.end_object();
  out.end_object();
  return body;
}

void append_tracked(JsonWriter& out, std::string_view user, const Tracked& row, bool mood) {
  out.begin_object();
  out.member("id", row.id);
  out.key("userId");
  if (const auto number = user_number(user)) {
    out.value(*number);
  } else {
    out.value(user);
  }
  out.member("contentId", row.content);
  out.member("interactionType", row.type);
  member_or_null(out, "interactionValue", row.value.has_value(), row.value.value_or(0));
  if (mood) {
    member_or_null(out, "moodAtInteraction", !row.mood.empty(), row.mood);
    member_or_null(out, "moodIntensityAtInteraction", row.intensity.has_value(),
                   row.intensity.value_or(0));
  }
  member_or_null(out, "interactionDurationSeconds", row.duration_s.has_value(),
                 row.duration_s.value_or(0));
  member_or_null(out, "context", !row.context.empty(), row.context);
  member_or_null(out, "notes", !row.notes.empty(), row.notes);
  out.member("createdAt", rfc3339(row.created));
  out.member("updatedAt", rfc3339(row.updated));
  out.end_object();
}

std::string tracked_csv(std::string_view user, const std::vector<Tracked>& rows, bool mood) {
  std::string csv = "id,userId,contentId,interactionType,interactionValue,";
  if (mood) csv += "moodAtInteraction,moodIntensityAtInteraction,";
  csv += "interactionDurationSeconds,context,notes,createdAt,updatedAt\r\n";
  const auto number = [](const auto& value) {
    return value ? std::to_string(*value) : std::string();
  };
  for (const auto& row : rows) {
    std::vector<std::string> cells = {std::to_string(row.id), csv_cell(std::string(user)),
                                      csv_cell(row.content), csv_cell(row.type), number(row.value)};
    if (mood) {
      cells.push_back(csv_cell(row.mood));
      cells.push_back(number(row.intensity));
    }
    for (auto& cell : std::vector<std::string>{number(row.duration_s), csv_cell(row.context),
                                               csv_cell(row.notes), rfc3339(row.created),
                                               rfc3339(row.updated)}) {
      cells.push_back(std::move(cell));
    }
    for (std::size_t i = 0; i < cells.size(); ++i) csv += (i == 0 ? "" : ",") + cells[i];
    csv += "\r\n";
  }
  return csv;
}

}  // namespace millrace::serving
