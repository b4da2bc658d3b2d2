#include "state/history.h"

#include <optional>

#include "schemas/proto/state.pb.h"
#include "schemas/wire.h"

namespace millrace::state {
namespace {

tl::unexpected<Error> corrupt() { return fail(Code::kCorrupt, "stored history cannot be read"); }

// The messages of a page, oldest first.
std::optional<std::vector<std::string_view>> split(std::string_view page) {
  std::vector<std::string_view> parts;
  while (!page.empty()) {
    std::size_t length = 0, used = 0;
    for (;; ++used) {
      if (used == page.size() || used == 4) return std::nullopt;
      const auto byte = static_cast<unsigned char>(page[used]);
      length |= static_cast<std::size_t>(byte & 127) << (7 * used);
      if (byte < 128) break;
    }
    page.remove_prefix(used + 1);
    if (length > page.size()) return std::nullopt;
    parts.push_back(page.substr(0, length));
    page.remove_prefix(length);
  }
  return parts;
}

bool parse(std::string_view bytes, proto::HistoryEntry& entry) {
  return entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Field numbers of proto::HistoryEntry.
enum Field : std::uint32_t {
  kType = 1,
  kItem,
  kTime,
  kLogTime,
  kOffset,
  kValue,
  kDuration,
  kSession,
  kMood,
  kMoodIntensity,
  kDevice,
  kContext,
  kContextIsObject,
  kNotes,
  kRecommendationId,
  kTracked
};

HistoryItem taken(proto::HistoryEntry& message) {
  HistoryItem entry;
  entry.offset = message.offset();
  entry.log_time = message.log_time_ms();
  entry.type = message.type();
  Event& event = entry.event;
  event.time = message.time_ms();
  if (message.has_value_centi()) event.value_centi = message.value_centi();
  if (message.has_duration_s()) event.duration_s = message.duration_s();
  if (message.has_mood_intensity()) event.mood_intensity = message.mood_intensity();
  event.session = message.session();
  event.mood = message.mood();
  event.device = message.device();
  event.context = message.context();
  event.context_is_object = message.context_is_object();
  event.notes = message.notes();
  event.recommendation_id = message.recommendation_id();
  if (message.tracked()) event.source = kTrackedSource;
  return entry;
}

}  // namespace

void append_to_history(Person& person, Offset offset, UnixMillis log_time,
                       const InteractionView& interaction, ItemNumber item) {
  static thread_local std::string entry;
  entry.clear();
  wire::Writer write(entry);
  write.number(kType, interaction.type_number);
  write.number(kItem, item);
  write.signed_number(kTime, interaction.time);
  write.signed_number(kLogTime, log_time);
  write.signed_number(kOffset, offset);
  if (interaction.value_centi) write.present(kValue, wire::zigzag(*interaction.value_centi));
  if (interaction.duration_s) write.present(kDuration, *interaction.duration_s);
  write.text(kSession, interaction.session);
  write.text(kMood, interaction.mood);
  if (interaction.mood_intensity) write.present(kMoodIntensity, *interaction.mood_intensity);
  write.text(kDevice, interaction.device);
  write.text(kContext, interaction.context);
  write.number(kContextIsObject, interaction.context_is_object ? 1 : 0);
  write.text(kNotes, interaction.notes);
  write.text(kRecommendationId, interaction.recommendation_id);
  write.number(kTracked, interaction.source == kTrackedSource ? 1 : 0);

  std::string& tail = person.history_tail;
  wire::Writer(tail).varint(entry.size());
  tail.append(entry);
  if (tail.size() <= kHistoryPageBytes) return;
  if (person.history_first == person.history_next) person.history_first_log_time = log_time;
  person.unwritten.push_back(
      {person.history_next++, log_time, std::make_shared<const std::string>(std::move(tail))});
  tail.clear();
}

Result<UnixMillis> newest_log_time(std::string_view page) {
  const auto parts = split(page);
  proto::HistoryEntry entry;
  if (!parts || parts->empty() || !parse(parts->back(), entry)) return corrupt();
  return entry.log_time_ms();
}

Result<HistoryGatherer::Outcome> HistoryGatherer::add_page(std::string_view page) {
  static thread_local proto::HistoryEntry message;
  const auto parts = split(page);
  if (!parts) return corrupt();
  for (auto part = parts->rbegin(); part != parts->rend(); ++part) {
    if (!parse(*part, message)) return corrupt();
    if (message.offset() >= last_) return Outcome::kOutOfOrder;
    last_ = message.offset();
    if (message.log_time_ms() < query_.keep_after || entries.size() >= query_.limit) {
      return Outcome::kDone;
    }
    const bool wanted = message.offset() < query_.before && message.time_ms() >= query_.from &&
                        message.time_ms() <= query_.to &&
                        (query_.type == 0 || message.type() == query_.type);
    if (!wanted) continue;
    entries.push_back(taken(message));
    numbers.push_back(message.item());
  }
  return entries.size() >= query_.limit ? Outcome::kDone : Outcome::kMore;
}

}  // namespace millrace::state
