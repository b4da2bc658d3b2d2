#include "serving/surfaces/dead_letters.h"

#include <charconv>
#include <string>
#include <utility>

#include "schemas/event_json.h"
#include "schemas/json_value.h"
#include "schemas/record.h"
#include "schemas/rfc3339.h"
#include "serving/surfaces/base64.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/partition_name.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kReplayPage = 1000;  // letters appended at once

// A letter of any partition.
struct Letter {
  LogPartition partition;
  state::DeadLetter letter;
};

std::vector<LogPartition> all_partitions(const Deps& deps) {
  std::vector<LogPartition> all;
  for (std::uint16_t p = 0; p < deps.engine->partitions(); ++p) {
    all.push_back({Topic::kInteractions, p});
  }
  all.push_back(kCatalogPartition);
  return all;
}

Result<std::vector<Letter>> letters_of(const Deps& deps, LogPartition partition, Offset from,
                                       std::size_t limit) {
  std::vector<Letter> letters;
  if (partition == kCatalogPartition) {
    MILLRACE_TRY(auto found, deps.engine->catalog().dead_letters(from, limit));
    for (auto& one : found) {
      letters.push_back(
          {partition,
           {one.offset, one.log_time, std::move(one.reason), std::move(one.record), {}}});
    }
    return letters;
  }
  MILLRACE_TRY(auto found, deps.engine->store(partition.index).dead_letters(from, limit));
  for (auto& one : found) letters.push_back({partition, std::move(one)});
  return letters;
}

// At most `limit` letters of `partitions`, in their order, from `first` (a partition of them) and
// `from` on.
Result<std::vector<Letter>> letters_from(const Deps& deps,
                                         const std::vector<LogPartition>& partitions,
                                         LogPartition first, Offset from, std::size_t limit) {
  std::vector<Letter> letters;
  for (const auto& partition : partitions) {
    if (partition < first || letters.size() >= limit) continue;
    MILLRACE_TRY(auto more, letters_of(deps, partition, partition == first ? from : 0,
                                       limit - letters.size()));
    for (auto& letter : more) letters.push_back(std::move(letter));
  }
  return letters;
}

// ---- listing

struct Place {
  LogPartition partition;
  Offset offset = 0;
};

Result<Place> place_param(const Request& request, const Deps& deps) {
  MILLRACE_TRY(const std::string text, cursor_param(request));
  if (text.empty()) return Place{};
  const auto colon = text.find(':');
  const auto partition = parse_partition(text.substr(0, colon), deps);
  Place place;
  const auto* end = text.data() + text.size();
  const auto* digits = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto parsed = std::from_chars(digits, end, place.offset);
  if (!partition || parsed.ec != std::errc() || parsed.ptr != end) {
    return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
  }
  place.partition = *partition;
  return place;
}

// The record as a CloudEvent where it is an event.
void append_event(JsonWriter& out, const Letter& letter, const Deps& deps) {
  if (letter.partition == kCatalogPartition) return;
  const auto record = decode_log_record(letter.letter.record);
  if (!record) return;
  const auto* interaction = std::get_if<Interaction>(&*record);
  if (interaction == nullptr) return;
  const auto* type = deps.engine->table()->find(interaction->type_number);
  out.key("event");
  append_event_json(
      out, *interaction,
      type != nullptr ? type->name : "type." + std::to_string(interaction->type_number));
}

void append_letter(JsonWriter& out, const Letter& letter, const Deps& deps) {
  out.begin_object();
  out.member("partition", partition_name(letter.partition));
  out.member("offset", letter.letter.offset);
  out.member("time", rfc3339(letter.letter.log_time));
  out.member("reason", letter.letter.reason);
  if (!letter.letter.user.empty()) out.member("user", letter.letter.user);
  out.member("record", base64(letter.letter.record));
  append_event(out, letter, deps);
  out.end_object();
}

Reply list_letters(const Request& request, const Deps& deps) {
  const auto partition = partition_param(request, deps);
  if (!partition) return problem(partition.error());
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto place = place_param(request, deps);
  if (!place) return problem(place.error());
  const auto partitions = *partition ? std::vector{**partition} : all_partitions(deps);
  auto letters = letters_from(deps, partitions, place->partition, place->offset, *limit + 1);
  if (!letters) return problem(letters.error());
  std::string next;
  if (letters->size() > *limit) {
    const auto& last = letters->back();
    next = partition_name(last.partition) + ":" + std::to_string(last.letter.offset);
    letters->pop_back();
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("items");
  out.begin_array();
  for (const auto& letter : *letters) append_letter(out, letter, deps);
  out.end_array();
  if (!next.empty()) out.member("next_cursor", cursor_of(next));
  out.end_object();
  return json_reply(std::move(body));
}

// ---- replaying

// What to try again: all, those of a partition, or one.
struct Replay {
  std::optional<LogPartition> partition;
  std::optional<Offset> offset;
};

Result<Replay> parse_replay(const Request& request, const Deps& deps) {
  Replay replay;
  if (request.body.empty()) return replay;
  const auto json = parse_json(request.body);
  if (!json || json->kind != JsonKind::kObject) {
    return fail(Code::kInvalid, "must be a JSON object, or empty", "body");
  }
  for (const auto& [name, value] : json->members) {
    if (name == "partition" && value.kind == JsonKind::kString) {
      MILLRACE_TRY(replay.partition, parse_partition(value.text, deps));
      continue;
    }
    Offset offset = -1;
    const auto* end = value.text.data() + value.text.size();
    const auto parsed = std::from_chars(value.text.data(), end, offset);
    if (name != "offset" || value.kind != JsonKind::kNumber || parsed.ptr != end || offset < 0) {
      return fail(Code::kInvalid, "must be a partition's name, or an offset from 0", name);
    }
    replay.offset = offset;
  }
  if (replay.offset && !replay.partition) {
    return fail(Code::kInvalid, "is required with an offset", "partition");
  }
  return replay;
}

// The record to append for a letter; nothing when it is no event, which no other try can help. Its
// id is made from its own and the letter's place, since that one counts as seen: however often a
// letter is replayed, it is applied once.
std::optional<std::string> again(const Letter& letter) {
  if (letter.partition == kCatalogPartition) return std::nullopt;
  auto record = decode_log_record(letter.letter.record);
  if (!record) return std::nullopt;
  auto* interaction = std::get_if<Interaction>(&*record);
  if (interaction == nullptr) return std::nullopt;
  interaction->event.id +=
      "~" + partition_name(letter.partition) + ":" + std::to_string(letter.letter.offset);
  return encode(*record);
}

struct Again {
  std::vector<ingest::Append> appends;
  std::size_t skipped = 0;
};

Result<Again> records_again(const Deps& deps, const Replay& replay) {
  Again all;
  const auto partitions = replay.partition ? std::vector{*replay.partition} : all_partitions(deps);
  for (const auto& partition : partitions) {
    Offset from = replay.offset.value_or(0);
    while (true) {
      const auto limit = replay.offset ? std::size_t{1} : kReplayPage;
      MILLRACE_TRY(const auto letters, letters_of(deps, partition, from, limit));
      if (replay.offset && (letters.empty() || letters.front().letter.offset != *replay.offset)) {
        return fail(Code::kNotFound, "no dead letter lies at this offset");
      }
      for (const auto& letter : letters) {
        if (auto bytes = again(letter)) {
          all.appends.push_back({partition, letter.letter.user, *std::move(bytes)});
        } else {
          ++all.skipped;
        }
      }
      if (letters.size() < kReplayPage) break;
      from = letters.back().letter.offset + 1;
    }
  }
  return all;
}

Reply replayed_reply(std::size_t replayed, std::size_t skipped, const Position& position) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("replayed", replayed);
  out.member("skipped", skipped);
  out.end_object();
  auto reply = json_reply(std::move(body));
  set_position(reply, position);
  return reply;
}

Answer replay_letters(const Request& request, const Deps& deps) {
  const auto type = request.header("content-type").value_or(std::string_view());
  if (body_kind(type) != BodyKind::kJson) return problem(415, "send application/json");
  const auto replay = parse_replay(request, deps);
  if (!replay) return problem(replay.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  auto all = records_again(deps, *replay);
  if (!all) return problem(all.error());
  if (all->appends.empty()) return replayed_reply(0, all->skipped, {});
  std::vector<LogPartition> targets;
  for (const auto& append : all->appends) targets.push_back(append.partition);
  return Later{[deps, appends = std::move(all->appends), targets = std::move(targets),
                skipped = all->skipped](auto finish) mutable {
    deps.log->append(std::move(appends), [targets, skipped, finish](ingest::AppendResult offsets) {
      if (!offsets) return finish([error = offsets.error()] { return problem(error); });
      Position position;
      for (std::size_t i = 0; i < offsets->size(); ++i) {
        position.include(targets[i], (*offsets)[i]);
      }
      finish(
          [=, replayed = targets.size()] { return replayed_reply(replayed, skipped, position); });
    });
  }};
}

}  // namespace

std::vector<Route> dead_letter_routes(const Deps& deps) {
  return {
      {"GET", "/v1/admin/dead-letters", Policy::kAdmin,
       [deps](const Request& request) { return when_visible(request, deps, list_letters); }},
      {"POST", "/v1/admin/dead-letters/replay", Policy::kAdmin,
       [deps](const Request& request) { return replay_letters(request, deps); }},
  };
}

}  // namespace millrace::serving
