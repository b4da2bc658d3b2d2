#include "serving/surfaces/people.h"

#include <memory>
#include <string>
#include <utility>

#include "schemas/account.h"
#include "schemas/json_writer.h"
#include "schemas/partitioner.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/erasure.h"
#include "serving/surfaces/exports.h"
#include "serving/surfaces/json_body.h"
#include "serving/surfaces/profile_body.h"
#include "serving/surfaces/tracked.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxNames = 50;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kRowsPerPiece = 200;

// ---- what is said of them

void append_names(JsonWriter& out, const char* name, const std::vector<std::string>& names) {
  out.key(name);
  out.begin_array();
  for (const auto& one : names) out.value(one);
  out.end_array();
}

void append_note(JsonWriter& out, const PersonNote& note) {
  append_names(out, "labels", note.labels);
  append_names(out, "genres", note.genres);
  out.raw_member("attributes", note.attributes.empty() ? "{}" : std::string_view(note.attributes));
}

Result<std::vector<std::string>> names_in(const JsonBody& body, const char* name) {
  std::vector<std::string> names;
  const Json* given = body.find(name);
  if (given == nullptr) return names;
  if (given->kind != JsonKind::kArray || given->elements.size() > kMaxNames) {
    return fail(Code::kInvalid, "must be an array of at most 50 lines of text", name);
  }
  for (const auto& element : given->elements) {
    MILLRACE_TRY(auto line, line_of(element.scalar(), name, kMaxNameBytes));
    if (line.empty()) return fail(Code::kInvalid, "must not hold empty text", name);
    names.push_back(std::move(line));
  }
  return names;
}

Result<PersonNote> note_in(const Request& request) {
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  PersonNote note;
  MILLRACE_TRY(note.labels, names_in(body, "labels"));
  MILLRACE_TRY(note.genres, names_in(body, "genres"));
  if (const Json* attributes = body.find("attributes"); attributes != nullptr) {
    if (attributes->kind != JsonKind::kObject) {
      return fail(Code::kInvalid, "must be an object", "attributes");
    }
    JsonWriter out(note.attributes);
    append_json(out, *attributes);
    if (note.attributes.size() > kMaxTextBytes) {
      return fail(Code::kInvalid, "must be at most 4096 bytes of JSON", "attributes");
    }
  }
  return note;
}

Answer put_person(const Request& request, const Deps& deps) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  auto note = note_in(request);
  if (!note) return problem(note.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  const auto answer = [deps, name = *name, user = *user, note = *note](const Position&) {
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    out.member("user", user);
    append_note(out, note);
    out.end_object();
    const bool created = deps.engine->catalog().outcome(name) == state::CommandOutcome::kCreated;
    return json_reply(std::move(body), created ? 201 : 200);
  };
  return command(deps, {*name, DescribePerson{UserId(*user), *std::move(note)}, actor_of(request)},
                 answer);
}

// ---- one of them into another

// Whoever is to take over what somebody else did must know a name that cannot be guessed.
constexpr std::size_t kLeastHeldBytes = 16;

Result<MergePeople> merge_in(const Request& request) {
  MILLRACE_TRY(auto user, id_param(request, "id"));
  MILLRACE_TRY(const auto body, JsonBody::of(request));
  const Json* into = body.find("into");
  if (into == nullptr) return fail(Code::kInvalid, "is required", "into");
  MILLRACE_TRY(auto other, id_of(into->scalar(), "into"));
  if (other == user) return fail(Code::kInvalid, "must be another person", "into");
  return MergePeople{UserId(std::move(user)), UserId(std::move(other))};
}

bool may_merge(const Caller& caller, const MergePeople& people) {
  if (caller.admin() || caller.may_ingest()) return true;
  const auto& user = people.user.value;
  return caller.is(people.into.value) && !user_number(user) && user.size() >= kLeastHeldBytes;
}

Answer post_merge(const Request& request, const Deps& deps) {
  const auto people = merge_in(request);
  if (!people) return problem(people.error());
  if (!may_merge(request.caller, *people)) {
    return problem(
        {Code::kForbidden, "people merge anonymous ids of 16 bytes or more into themselves", {}});
  }
  const auto& user = people->user.value;
  const auto read = deps.engine->read(user);
  if (!read) return problem(read.error());
  const auto& person = read->user.view.person;
  if (person && person->events > deps.options.max_merged_events) {
    return problem({Code::kTooLarge,
                    "they have more than " + std::to_string(deps.options.max_merged_events) +
                        " events: --merge-events",
                    "id"});
  }
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return merge_people(deps, {*std::move(name), *people, actor_of(request)}, *people,
                      [people = *people] {
                        std::string body;
                        JsonWriter out(body);
                        out.begin_object();
                        out.member("user", people.into.value);
                        out.member("merged", people.user.value);
                        out.end_object();
                        return json_reply(std::move(body));
                      });
}

// ---- all that is known of them

// A JSON object that is made piece by piece: what is said, the profile, each item's row, every
// event of the history, every tracked row. Each piece is of the state as it is when it is made.
class PersonFile {
 public:
  PersonFile(const Deps& deps, std::string user)
      : deps_(deps),
        user_(std::move(user)),
        partition_(partition_of(user_, deps.engine->partitions())) {}

  // Empty: that was all.
  Result<std::string> piece() {
    switch (part_) {
      case Part::kHead: return head();
      case Part::kHistory: return history();
      case Part::kTracked: return tracked();
      case Part::kEnd: return std::string();
    }
    return std::string();
  }

 private:
  enum class Part { kHead, kHistory, kTracked, kEnd };

  const state::PartitionStore& store() const { return deps_.engine->store(partition_); }

  Result<std::string> head() {
    MILLRACE_TRY(const auto read, deps_.engine->read(user_));
    std::string text;
    JsonWriter out(text);
    out.begin_object();
    out.member("user", user_);
    out.member("exported", rfc3339(deps_.clock->now()));
    const auto notes = deps_.engine->catalog().person_notes();
    const auto* note = notes->find(user_);
    out.key("described");
    out.begin_object();
    append_note(out, note == nullptr ? PersonNote() : **note);
    out.end_object();
    out.raw_member("profile", profile_body(user_, read, *deps_.engine->table()));
    append_items(out, read);
    text += ",\"history\":[";
    part_ = Part::kHistory;
    return text;
  }

  void append_items(JsonWriter& out, const processors::ReadState& read) const {
    out.key("items");
    out.begin_array();
    if (const auto& person = read.user.view.person) {
      person->for_each_row([&](const state::ItemRow& row) {
        const auto index = read.user.index_of(row.item);
        if (index == state::kNoItem) return;
        out.begin_object();
        out.member("id", read.items->name(index));
        out.member("liked", row.has(state::kLiked));
        out.member("disliked", row.has(state::kDisliked));
        out.member("saved", row.has(state::kSaved));
        out.member("watched", row.has(state::kWatched));
        if (row.has(state::kRated)) out.member("rating", row.rating_centi / 100.0);
        out.member("last", rfc3339(row.last_time));
        out.end_object();
      });
    }
    out.end_array();
  }

  Result<std::string> history() {
    state::HistoryQuery query;
    query.limit = kRowsPerPiece;
    query.before = below_;
    const auto keep_ms = store().ruleset().history_retention_ms;
    if (keep_ms > 0) query.keep_after = store().published().log_time - keep_ms;
    MILLRACE_TRY(const auto items, store().history(user_, query));
    const auto catalog = deps_.engine->catalog().view();
    std::string text;
    for (const auto& entry : items) {
      if (std::exchange(any_, true)) text += ',';
      JsonWriter out(text);
      const auto* type = deps_.engine->table()->find(entry.type);
      append_history_item(out, entry, type != nullptr ? type->name : std::string(), partition_,
                          catalog->find(entry.item));
      below_ = entry.offset;
    }
    if (items.size() == kRowsPerPiece) return text;
    part_ = Part::kTracked;
    any_ = false;
    below_ = INT64_MAX;
    return text + "],\"tracked\":[";
  }

  Result<std::string> tracked() {
    MILLRACE_TRY(const auto reader, store().tracked(user_));
    state::TrackedQuery query;
    query.now = deps_.clock->now();
    query.retention = store().ruleset().tracked_retention;
    MILLRACE_TRY(const auto rows, reader.rows(query, below_, 0, kRowsPerPiece));
    const TrackedPrinter printer(deps_, user_, true);
    std::string text;
    for (const auto& row : rows) {
      if (std::exchange(any_, true)) text += ',';
      JsonWriter out(text);
      printer.append_json(out, {row, std::string(reader.item(row))});
      below_ = row.id;
    }
    if (rows.size() == kRowsPerPiece) return text;
    part_ = Part::kEnd;
    return text + "]}";
  }

  const Deps deps_;
  const std::string user_;
  const std::uint16_t partition_;
  Part part_ = Part::kHead;
  Offset below_ = INT64_MAX;
  bool any_ = false;  // of the list at hand
};

Reply export_person(const Request& request, const Deps& deps, Exports& exports) {
  const auto user = id_param(request, "id");
  if (!user) return problem(user.error());
  Reply reply;
  reply.stream =
      exports.stream([file = std::make_shared<PersonFile>(deps, *user)] { return file->piece(); });
  reply.headers.emplace_back("Content-Disposition", "attachment; filename=\"person.json\"");
  reply.headers.emplace_back("Cache-Control", "private, no-cache");
  return reply;
}

}  // namespace

std::vector<Route> people_routes(const Deps& deps) {
  const auto exports = std::make_shared<Exports>(*deps.metrics);
  return {{"PUT", "/v1/users/{id}", Policy::kSelfOrAdmin,
           [deps](const Request& request) { return put_person(request, deps); }},
          {"POST", "/v1/users/{id}/merge", Policy::kIngest,
           [deps](const Request& request) { return post_merge(request, deps); }},
          {"GET", "/v1/users/{id}/export", Policy::kSelfOrAdmin,
           [deps, exports](const Request& request) {
             return when_visible(request, deps, [exports](const Request& seen, const Deps& here) {
               return export_person(seen, here, *exports);
             });
           }}};
}

}  // namespace millrace::serving
