#include "state/history.h"

#include <google/protobuf/io/coded_stream.h>

#include <optional>

#include "schemas/proto/state.pb.h"

namespace millrace::state {
namespace {

using google::protobuf::io::CodedOutputStream;

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

void fill(proto::HistoryEntry& message, const HistoryItem& entry, ItemNumber item) {
  const Event& event = entry.event;
  message.Clear();
  message.set_type(entry.type);
  message.set_item(item);
  message.set_time_ms(event.time.value_or(entry.log_time));
  message.set_log_time_ms(entry.log_time);
  message.set_offset(entry.offset);
  if (event.value_centi) message.set_value_centi(*event.value_centi);
  if (event.duration_s) message.set_duration_s(*event.duration_s);
  if (event.mood_intensity) message.set_mood_intensity(*event.mood_intensity);
  message.set_session(event.session);
  message.set_mood(event.mood);
  message.set_device(event.device);
  message.set_context(event.context);
  message.set_context_is_object(event.context_is_object);
  message.set_notes(event.notes);
  message.set_recommendation_id(event.recommendation_id);
}

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
  return entry;
}

}  // namespace

void append_to_history(Person& person, const HistoryItem& entry, ItemNumber item) {
  static thread_local proto::HistoryEntry message;
  fill(message, entry, item);
  const std::size_t size = message.ByteSizeLong();
  std::uint8_t length[5];
  const std::uint8_t* end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), length);
  std::string& tail = person.history_tail;
  tail.append(reinterpret_cast<const char*>(length), static_cast<std::size_t>(end - length));
  const std::size_t at = tail.size();
  tail.resize(at + size);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(tail.data() + at));
  if (tail.size() <= kHistoryPageBytes) return;
  if (person.history_first == person.history_next) person.history_first_log_time = entry.log_time;
  person.unwritten.push_back({person.history_next++, entry.log_time,
                              std::make_shared<const std::string>(std::move(tail))});
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
