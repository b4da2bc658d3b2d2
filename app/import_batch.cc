#include "app/import_batch.h"

#include <charconv>
#include <optional>

#include "schemas/json_value.h"

namespace millrace::app {
namespace {

std::uint64_t number_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  std::uint64_t value = 0;
  if (found != nullptr && found->kind == JsonKind::kNumber) {
    std::from_chars(found->text.data(), found->text.data() + found->text.size(), value);
  }
  return value;
}

std::string text_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  return found != nullptr && found->kind == JsonKind::kString ? found->text : std::string();
}

tl::unexpected<Error> not_understood() {
  return fail(Code::kInternal, "the server's answer is not Millrace's: is this the right --url?");
}

}  // namespace

ImportBatch read_batch(ingest::ImportReader& reader, std::size_t max_rows, std::size_t max_bytes) {
  ImportBatch batch;
  while (batch.rows < max_rows && batch.body.size() < max_bytes) {
    auto row = reader.next();
    if (!row) {
      batch.last = true;
      break;
    }
    ++batch.rows;
    if (row->json.has_value()) {
      batch.body.append(*row->json).push_back('\n');
      batch.places.push_back({std::move(row->file), row->line});
    } else {
      batch.failures.push_back(
          {std::move(row->file), row->line, row->json.error().field, row->json.error().detail});
    }
  }
  return batch;
}

Result<BatchVerdict> send_batch(Target& target, ingest::ImportKind kind, ImportBatch batch) {
  BatchVerdict verdict{{}, std::move(batch.failures)};
  if (!batch.places.empty()) {
    const bool events = kind == ingest::ImportKind::kEvents;
    MILLRACE_TRY(const HttpReply reply,
                 target.post(events ? "/v1/events?wait=applied" : "/v1/items",
                             "application/x-ndjson", std::move(batch.body)));
    if (reply.status >= 300) return tl::unexpected<Error>(error_of(reply));
    const auto json = parse_json(reply.body);
    const Json* rejected = json.has_value() ? json->find("rejected") : nullptr;
    if (rejected == nullptr) return not_understood();
    if (events) verdict.totals.events_accepted = number_in(*json, "accepted");
    verdict.totals.duplicates = number_in(*json, "duplicates");
    verdict.totals.items_created = number_in(*json, "created");
    verdict.totals.items_replaced = number_in(*json, "replaced");
    for (const auto& each : rejected->elements) {
      const std::uint64_t index = number_in(each, "index");
      if (index >= batch.places.size()) return not_understood();
      verdict.failures.push_back({batch.places[index].file, batch.places[index].line,
                                  text_in(each, "field"), text_in(each, "error")});
    }
  }
  verdict.totals.rejected = verdict.failures.size();
  return verdict;
}

}  // namespace millrace::app
