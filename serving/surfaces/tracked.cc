#include "serving/surfaces/tracked.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "schemas/account.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "state/history.h"

namespace millrace::serving {
namespace {

constexpr std::string_view kContent = "content:";

std::string content_of(const std::string& item) {
  return item.starts_with(kContent) ? item.substr(kContent.size()) : item;
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

void append_cell(std::string& out, std::string_view text) {
  const bool formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quoted) out += '"';
}

template <class Number>
void append_number(std::string& out, const std::optional<Number>& number) {
  if (number) out += std::to_string(*number);
}

state::TrackedRow row_of(const state::HistoryItem& entry, const Deps& deps) {
  const Event& event = entry.event;
  const bool tracked = event.source == state::kTrackedSource;
  state::TrackedRow row;
  row.id = entry.offset;
  row.created = row.updated = tracked ? entry.log_time : event.time.value_or(entry.log_time);
  row.type = entry.type;
  row.item = entry.item;
  const auto* type = deps.engine->table()->find(entry.type);
  row.weight = type == nullptr ? 0 : type->weight;
  row.value_centi = event.value_centi;
  row.duration_s = event.duration_s;
  row.mood = event.mood;
  row.intensity = event.mood_intensity;
  row.context = event.context;
  row.notes = event.notes;
  return row;
}

}  // namespace

std::string item_of_content(std::string_view content) {
  const auto colon = content.find(':');
  const bool names_kind = colon != std::string_view::npos && is_kind(content.substr(0, colon));
  return (names_kind ? "" : std::string(kContent)) + std::string(content);
}

Result<std::vector<Tracked>> all_rows(const std::string& user, const state::TrackedQuery& query,
                                      const Deps& deps) {
  const auto& store = deps.engine->store(partition_of(user, deps.engine->partitions()));
  state::HistoryQuery asked{.limit = SIZE_MAX, .type = query.type};
  const auto keep_ms = store.ruleset().history_retention_ms;
  if (keep_ms > 0) asked.keep_after = store.published().log_time - keep_ms;
  MILLRACE_TRY(const auto events, store.history(user, asked));
  MILLRACE_TRY(const auto reader, store.tracked(user));
  auto unbounded = query;
  unbounded.from = 0;
  unbounded.to = INT64_MAX;
  MILLRACE_TRY(auto tracked, reader.rows(unbounded, INT64_MAX, 0, SIZE_MAX));
  std::map<std::pair<std::string, std::uint32_t>, Tracked> rows;
  for (auto& row : tracked) {
    std::string item(reader.item(row));
    rows.try_emplace({item, row.type}, Tracked{row, item});
  }
  for (const auto& entry : events) {
    const Tracked found{row_of(entry, deps), entry.event.item.value};
    const bool tracked_there = entry.event.source == state::kTrackedSource;
    if (tracked_there && found.row.created < query.since(found.row.type)) continue;
    auto& row = rows.try_emplace({found.item, found.row.type}, found).first->second.row;
    const auto id = std::min(row.id, found.row.id);
    const auto created = std::min(row.created, found.row.created);
    if (found.row.updated > row.updated) row = found.row;
    row.id = id;
    row.created = created;
  }
  std::vector<Tracked> out;
  for (auto& [key, row] : rows) {
    const auto created = row.row.created;
    if (created >= query.from && created <= query.to) out.push_back(std::move(row));
  }
  std::sort(out.begin(), out.end(), [](const Tracked& a, const Tracked& b) {
    return std::pair(a.row.created, a.row.id) > std::pair(b.row.created, b.row.id);
  });
  return out;
}

TrackedPrinter::TrackedPrinter(const Deps& deps, std::string user, bool mood)
    : table_(deps.engine->table()),
      user_(std::move(user)),
      partition_(partition_of(user_, deps.engine->partitions())),
      mood_(mood) {}

std::uint64_t TrackedPrinter::id_of(const state::TrackedRow& row) const {
  return (static_cast<std::uint64_t>(row.id) << 16) + partition_;
}

std::string TrackedPrinter::type_of(const state::TrackedRow& row) const {
  const auto* type = table_->find(row.type);
  return type == nullptr ? std::string() : type->name;
}

void TrackedPrinter::append_json(JsonWriter& out, const Tracked& tracked) const {
  const auto& row = tracked.row;
  const auto value = state::tracked_value(row);
  out.begin_object();
  out.member("id", id_of(row));
  out.key("userId");
  if (const auto number = user_number(user_)) {
    out.value(*number);
  } else {
    out.value(user_);
  }
  out.member("contentId", content_of(tracked.item));
  out.member("interactionType", type_of(row));
  member_or_null(out, "interactionValue", value.has_value(), value.value_or(0));
  if (mood_) {
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

std::string TrackedPrinter::csv_header() const {
  return std::string("id,userId,contentId,interactionType,interactionValue,") +
         (mood_ ? "moodAtInteraction,moodIntensityAtInteraction," : "") +
         "interactionDurationSeconds,context,notes,createdAt,updatedAt\r\n";
}

void TrackedPrinter::append_csv(std::string& out, const Tracked& tracked) const {
  const auto& row = tracked.row;
  out += std::to_string(id_of(row)) + ',';
  append_cell(out, user_);
  out += ',';
  append_cell(out, content_of(tracked.item));
  out += ',';
  append_cell(out, type_of(row));
  out += ',';
  append_number(out, state::tracked_value(row));
  out += ',';
  if (mood_) {
    append_cell(out, row.mood);
    out += ',';
    append_number(out, row.intensity);
    out += ',';
  }
  append_number(out, row.duration_s);
  out += ',';
  append_cell(out, row.context);
  out += ',';
  append_cell(out, row.notes);
  out += ',' + rfc3339(row.created) + ',' + rfc3339(row.updated) + "\r\n";
}

}  // namespace millrace::serving
