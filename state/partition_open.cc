#include "state/partition_open.h"

#include <charconv>
#include <optional>
#include <string>
#include <thread>

#include "schemas/record.h"
#include "state/keys.h"
#include "state/people_load.h"

namespace millrace::state {
namespace {

tl::unexpected<Error> corrupt(const char* what) { return fail(Code::kCorrupt, what); }

// A key as `verify` names it.
std::string hex(std::string_view key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return out;
}

// Calls `visit(key, value)`, which answers a Status, for every row under `prefix`.
template <class Visit>
Status each_row(const Db& db, std::string_view prefix, Visit visit) {
  Status failed;
  MILLRACE_CHECK(db.scan(prefix, {}, [&](std::string_view key, std::string_view value) {
    failed = visit(key, value);
    if (!failed) failed.error().detail = "row " + hex(key) + ": " + failed.error().detail;
    return failed.has_value();
  }));
  return failed;
}

Status restore_dictionary(const OpenParts& parts) {
  std::uint32_t next = 0;
  return each_row(parts.db, keys::kDictionary,
                  [&](std::string_view key, std::string_view value) -> Status {
                    const auto number = keys::number32(key);
                    if (number != next++ || parts.items.size() % kNamesPerPage != 0) {
                      return corrupt("a page of the item dictionary is missing");
                    }
                    MILLRACE_TRY(const auto names, decode_dictionary_page(value));
                    if (names.empty() || names.size() > kNamesPerPage) {
                      return corrupt("a page of the item dictionary has a wrong size");
                    }
                    for (const std::string& name : names) parts.items.restore_name(name);
                    parts.writer.restore_dictionary_page(*number, row_digest(key, value));
                    return {};
                  });
}

Status restore_chunks(const OpenParts& parts) {
  return each_row(parts.db, keys::kItemChunks,
                  [&](std::string_view key, std::string_view value) -> Status {
                    const auto number = keys::number32(key);
                    if (!number) return corrupt("a chunk of items has no number");
                    MILLRACE_TRY(auto chunk, decode_item_chunk(value));
                    MILLRACE_CHECK(parts.items.restore_chunk(*number, std::move(chunk)));
                    parts.writer.restore_chunk(*number, row_digest(key, value));
                    return {};
                  });
}

Status restore_attribution(const OpenParts& parts, std::string_view prefix, Attribution& into) {
  return each_row(parts.db, prefix, [&](std::string_view key, std::string_view value) -> Status {
    if (!keys::number32(key)) return corrupt("a row of attribution has no number");
    MILLRACE_TRY(const auto rows, decode_attribution_day(value));
    into.restore(rows);
    parts.writer.restore_attribution(key, row_digest(key, value));
    return {};
  });
}

Status restore_experiments(const OpenParts& parts) {
  return each_row(parts.db, keys::kExperiments,
                  [&](std::string_view key, std::string_view value) -> Status {
                    const auto experiment = keys::number64(key);
                    if (!experiment) return corrupt("an experiment's sums have no number");
                    MILLRACE_TRY(auto sums, decode_experiment(value));
                    parts.trials.restore(*experiment, std::move(sums));
                    parts.writer.restore_experiment(*experiment, row_digest(key, value));
                    return {};
                  });
}

Status restore_duplicates(const OpenParts& parts, const AppliedRow& row) {
  Duplicates& duplicates = parts.duplicates;
  duplicates.restore_floor(row.ids_floor);
  bool first = true;
  MILLRACE_CHECK(each_row(parts.db, keys::kDuplicates,
                          [&](std::string_view key, std::string_view value) -> Status {
                            const auto sequence = keys::number64(key);
                            MILLRACE_TRY(const auto entries, decode_duplicates(value));
                            if (!sequence || (!first && *sequence != duplicates.added())) {
                              return corrupt("a block of event ids is missing");
                            }
                            if (first) duplicates.restore_added(*sequence);
                            first = false;
                            for (const auto& entry : entries) {
                              duplicates.add(entry.identity, entry.first);
                            }
                            duplicates.take_new();
                            duplicates.forget_beyond(row.applied.log_time);
                            parts.writer.restore_identities(*sequence, entries.size());
                            return {};
                          }));
  if (first) duplicates.restore_added(row.ids);
  if (duplicates.added() != row.ids) return corrupt("the last block of event ids is missing");
  duplicates.forget_beyond(row.applied.log_time);
  return {};
}

}  // namespace

Status check_format(Db& db, Db::Mode mode) {
  MILLRACE_TRY(const auto stored, db.get(keys::kFormat));
  if (stored) {
    int format = 0;
    const auto end = stored->data() + stored->size();
    const auto parsed = std::from_chars(stored->data(), end, format);
    if (parsed.ec != std::errc() || parsed.ptr != end || format < 1) {
      return corrupt("the stored format's number cannot be read");
    }
    if (format > kPartitionFormat) {
      return fail(Code::kInvalid, "stored in format " + *stored +
                                      ", this program reads formats up to " +
                                      std::to_string(kPartitionFormat) +
                                      ": start the program version that wrote it, or a newer one");
    }
    return {};
  }
  bool empty = true;
  MILLRACE_CHECK(
      db.scan({}, {}, [&empty](std::string_view, std::string_view) { return empty = false; }));
  if (!empty || mode == Db::Mode::kReadOnly) return corrupt("a database without a format row");
  WriteBatch batch;
  batch.put(keys::kFormat, std::to_string(kPartitionFormat));
  return db.write(batch);
}

Result<StoredPosition> restore(const OpenParts& parts) {
  StoredPosition position;
  if (auto bytes = parts.db.get(keys::kRuleset); !bytes) {
    return tl::unexpected<Error>(bytes.error());
  } else if (*bytes) {
    MILLRACE_TRY(const auto record, decode_log_record(**bytes));
    const auto* ruleset = std::get_if<Ruleset>(&record);
    if (ruleset == nullptr) return corrupt("the stored ruleset cannot be read");
    position.ruleset = *ruleset;
    parts.writer.restore_ruleset(row_digest(keys::kRuleset, **bytes));
  }
  parts.duplicates.set_window(position.ruleset.dedupe_ids, position.ruleset.dedupe_ms);
  MILLRACE_CHECK(restore_dictionary(parts));
  MILLRACE_CHECK(restore_chunks(parts));
  MILLRACE_CHECK(restore_attribution(parts, keys::kAttribution, parts.attribution));
  MILLRACE_CHECK(restore_attribution(parts, keys::kRecentAttribution, parts.recent));
  MILLRACE_CHECK(restore_experiments(parts));
  AppliedRow row;
  MILLRACE_TRY(const auto bytes, parts.db.get(keys::kApplied));
  if (bytes) {
    MILLRACE_TRY(row, decode_applied(*bytes));
  } else {
    row.ids_floor = parts.duplicates.floor();
  }
  MILLRACE_CHECK(restore_duplicates(parts, row));
  parts.writer.restore(row.applied.next_offset, row.digest);
  position.applied = row.applied;
  return position;
}

Status each_committed_person(
    const Db& db, const std::atomic<std::uint64_t>& writes,
    const std::function<bool(std::string_view user, const Person&)>& visit) {
  // Rows of one person must be of one commit: those of people with several pages are read anew
  // until none lands meanwhile.
  const auto whole = [&](std::string_view user) -> Result<std::shared_ptr<Person>> {
    for (;;) {
      const std::uint64_t before = writes.load();
      MILLRACE_TRY(const auto head, db.get(keys::person(user)));
      if (!head) return nullptr;
      MILLRACE_TRY(auto person, decode_person(*head));
      auto loaded = load_rows(db, user, std::move(person));
      if (before % 2 == 0 && writes.load() == before) return loaded;
      std::this_thread::yield();
    }
  };
  Status failed;
  MILLRACE_CHECK(db.scan(keys::kPeople, {}, [&](std::string_view key, std::string_view value) {
    const auto user = keys::user_of_person(key);
    const auto person = decode_person(value);
    if (!person) failed = tl::unexpected<Error>(person.error());
    if (!person) return false;
    if (person->pages.size() <= 1) return visit(user, *person);
    const auto loaded = whole(user);
    if (!loaded) failed = tl::unexpected<Error>(loaded.error());
    if (!loaded) return false;
    return *loaded == nullptr || visit(user, **loaded);
  }));
  return failed;
}

}  // namespace millrace::state
