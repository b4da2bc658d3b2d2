#pragma once
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "processors/rankers/ranker.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// How videos look in answers, and who deals with them.

inline constexpr const char* kVideoKind = "video";

// The listed item `video:N` at an index; nullptr: it is none.
const state::CatalogItem* video_at(const state::CatalogView& catalog, state::ItemIndex index);

// All that seed 000 shows of a video, but the closing bracket. `flags`: of the person's row.
void begin_video(JsonWriter& out, const Deps& deps, const state::CatalogItem& video,
                 const processors::ReadState& read, std::uint8_t flags, UnixMillis now);

// Flags of a person's rows that are liked or saved, by item; of one item.
std::unordered_map<state::ItemIndex, std::uint8_t> flags_of(const processors::ReadState& read);
std::uint8_t flags_of(const processors::ReadState& read, state::ItemIndex item);

// Nobody's, without an account.
UserId caller_of(const Request& request);

// One video, as its page shows it to `user`.
Reply video_reply(const Deps& deps, const UserId& user, state::ItemIndex index, int status = 200);

// `next` with the video that {id} names, or 404, which is said only behind the end of the catalog.
Answer with_video(const Request& request, const Deps& deps,
                  std::function<Answer(const ItemId&, state::ItemIndex)> next);

}  // namespace millrace::serving
