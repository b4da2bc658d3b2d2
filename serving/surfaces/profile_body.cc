#include "serving/surfaces/profile_body.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "schemas/rfc3339.h"

namespace millrace::serving {
namespace {

struct FlagCounts {
  std::size_t liked = 0, saved = 0, rated = 0, watched = 0;
};

FlagCounts count_flags(const state::Person& person) {
  FlagCounts counts;
  person.for_each_row([&](const state::ItemRow& row) {
    counts.liked += row.has(state::kLiked) ? 1u : 0u;
    counts.saved += row.has(state::kSaved) ? 1u : 0u;
    counts.rated += row.has(state::kRated) ? 1u : 0u;
    counts.watched += row.has(state::kWatched) ? 1u : 0u;
  });
  return counts;
}

void append_type_counts(JsonWriter& out, const state::TypeCounts& counts,
                        const InteractionTable& table) {
  out.key("counts");
  out.begin_object();
  for (const auto& [number, count] : counts) {
    const auto* type = table.find(number);
    if (type != nullptr) out.member(type->name, count);
  }
  out.end_object();
}

// The weightiest first: by the share of the liked items that carry it, then by interest.
void append_weights(JsonWriter& out, std::string_view member,
                    const std::vector<state::NameWeight>& weights, std::uint32_t liked,
                    const state::NameTable& names) {
  std::vector<state::NameWeight> sorted = weights;
  std::sort(sorted.begin(), sorted.end(), [&names](const auto& a, const auto& b) {
    const auto name_a = names.name(a.name), name_b = names.name(b.name);
    return std::tie(b.liked, b.interest, name_a) < std::tie(a.liked, a.interest, name_b);
  });
  out.key(member);
  out.begin_array();
  for (const auto& weight : sorted) {
    out.begin_object();
    out.member("name", names.name(weight.name));
    out.member("weight", liked == 0 ? 0.0 : static_cast<double>(weight.liked) / liked);
    out.member("liked", weight.liked);
    out.member("interest", weight.interest);
    out.end_object();
  }
  out.end_array();
}

void append_recent(JsonWriter& out, const processors::ReadState& read) {
  out.key("recent");
  out.begin_array();
  if (const auto& person = read.user.view.person) {
    for (auto item = person->sequence.rbegin(); item != person->sequence.rend(); ++item) {
      const auto index = read.user.index_of(*item);
      if (index != state::kNoItem) out.value(read.items->name(index));
    }
  }
  out.end_array();
}

void text_member(JsonWriter& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.member(name, text);
}

}  // namespace

std::string profile_body(const std::string& user, const processors::ReadState& read,
                         const InteractionTable& table) {
  const auto& person = read.user.view.person;
  const auto counts = person ? count_flags(*person) : FlagCounts{};
  const auto profile = person ? processors::fresh_profile(*person, read.user.view.profile,
                                                          read.user.index_of, *read.catalog)
                              : std::make_shared<const state::Profile>();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("user", user);
  out.member("events", person ? person->events : 0);
  append_type_counts(out, person ? person->counts : state::TypeCounts{}, table);
  out.member("liked", counts.liked);
  out.member("saved", counts.saved);
  out.member("rated", counts.rated);
  out.member("watched", counts.watched);
  append_weights(out, "categories", profile->categories, profile->liked, read.names->categories);
  append_weights(out, "tags", profile->tags, profile->liked, read.names->tags);
  append_recent(out, read);
  out.end_object();
  return body;
}

void append_history_item(JsonWriter& out, const state::HistoryItem& entry, const std::string& type,
                         std::uint16_t partition, const state::CatalogItem* item) {
  const auto& event = entry.event;
  out.begin_object();
  out.member("id", event.item.value);
  if (item != nullptr) {
    out.member("kind", item->item.kind);
    out.member("title", item->item.title);
  }
  out.member("type", type);
  out.member("time", rfc3339(event.time.value_or(entry.log_time)));
  out.member("position", "i" + std::to_string(partition) + ":" + std::to_string(entry.offset));
  text_member(out, "session", event.session);
  if (event.value_centi) out.member("value", *event.value_centi / 100.0);
  if (event.duration_s) out.member("duration_s", *event.duration_s);
  text_member(out, "mood", event.mood);
  if (event.mood_intensity) out.member("mood_intensity", *event.mood_intensity);
  text_member(out, "device", event.device);
  if (!event.context.empty()) {
    if (event.context_is_object) {
      out.raw_member("context", event.context);
    } else {
      out.member("context", event.context);
    }
  }
  text_member(out, "notes", event.notes);
  text_member(out, "recommendation_id", event.recommendation_id);
  out.end_object();
}

}  // namespace millrace::serving
