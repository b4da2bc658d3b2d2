#include "app/simulation.h"

#include <algorithm>
#include <limits>

#include "schemas/event_json.h"
#include "schemas/json_value.h"

namespace millrace::app {

TicketWriter::TicketWriter(const SimulationOptions& options, Audience& audience,
                           std::function<UnixMillis()> now, std::function<bool()> stop)
    : options_(options),
      audience_(&audience),
      now_(std::move(now)),
      stop_(std::move(stop)),
      total_(events_to_write()),
      start_(now_()) {}

std::uint64_t TicketWriter::events_to_write() const {
  const std::uint64_t by_count =
      options_.events > 0 ? options_.events : std::numeric_limits<std::uint64_t>::max();
  if (options_.rate <= 0 || options_.seconds <= 0) return by_count;
  return std::min(by_count, static_cast<std::uint64_t>(options_.rate * options_.seconds));
}

// Without a rate and a number of events only the clock ends it.
bool TicketWriter::is_late() const {
  return options_.rate <= 0 && options_.events == 0 && options_.seconds > 0 &&
         static_cast<double>(now_() - start_) >= options_.seconds * 1000;
}

std::optional<LoadTicket> TicketWriter::next() {
  if (written_ >= total_ || stop_() || is_late()) return std::nullopt;
  LoadTicket ticket;
  if (options_.rate > 0) {
    ticket.due_us = static_cast<std::int64_t>(static_cast<double>(written_) / options_.rate * 1e6);
  }
  ticket.events = std::min<std::uint64_t>(options_.batch, total_ - written_);
  for (std::uint64_t i = 0; i < ticket.events; ++i, ++written_) {
    const bool past = options_.backfill_days > 0;
    const UnixMillis time =
        past ? backfill_time(start_, options_.backfill_days, written_, total_) : now_();
    Interaction interaction{audience_->next(time), 0, 0};
    Event& event = interaction.event;
    event.source = "simulate";
    event.id = options_.run + "-" + std::to_string(written_);
    if (past) event.time = time;
    std::string line;
    JsonWriter writer(line);
    append_event_json(writer, interaction, event.type);
    ticket.body.append(line).push_back('\n');
  }
  return ticket;
}

Result<std::vector<AudienceItem>> fetch_items(Target& target, std::size_t count) {
  std::vector<AudienceItem> items;
  std::string cursor;
  while (items.size() < count) {
    MILLRACE_TRY(const HttpReply reply,
                 target.get("/v1/items?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    if (reply.status != 200) return tl::unexpected<Error>(error_of(reply));
    MILLRACE_TRY(const Json page, parse_json(reply.body));
    const Json* list = page.find("items");
    if (list == nullptr) return fail(Code::kInternal, "the server's list of items is no list");
    for (const auto& each : list->elements) {
      const Json* id = each.find("id");
      if (id == nullptr || items.size() == count) continue;
      AudienceItem item{id->text, {}};
      const Json* categories = each.find("categories");
      if (categories != nullptr) {
        for (const auto& category : categories->elements) item.categories.push_back(category.text);
      }
      items.push_back(std::move(item));
    }
    const Json* next = page.find("next_cursor");
    if (next == nullptr || next->kind != JsonKind::kString) break;
    cursor = next->text;
  }
  if (items.empty()) return fail(Code::kNotFound, "there are no items; leave --existing out");
  return items;
}

}  // namespace millrace::app
