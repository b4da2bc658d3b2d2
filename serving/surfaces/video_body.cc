#include "serving/surfaces/video_body.h"

#include <optional>
#include <string>
#include <utility>

#include "schemas/json_value.h"
#include "serving/media/media_ref.h"
#include "serving/surfaces/item_body.h"
#include "serving/surfaces/movie_surface.h"

namespace millrace::serving {
namespace {

void append_product(JsonWriter& out, const processors::ReadState& read, const Json* id) {
  const auto index = id == nullptr ? std::nullopt : read.items->find("product:" + id->text);
  const auto* product = index ? read.catalog->find(*index) : nullptr;
  if (product == nullptr) return out.value(nullptr);
  out.begin_object();
  if (id->kind == JsonKind::kNumber) {
    out.raw_member("id", id->text);
  } else {
    out.member("id", id->text);
  }
  out.member("name", product->item.title);
  out.raw_member("price", product->item.price.empty() ? "null" : product->item.price);
  out.end_object();
}

}  // namespace

const state::CatalogItem* video_at(const state::CatalogView& catalog, state::ItemIndex index) {
  const auto* item = catalog.find(index);
  const bool video = item != nullptr && catalog.listed(index) && item->item.kind == kVideoKind &&
                     item->natural != UINT64_MAX && item->item.id.value.starts_with("video:");
  return video ? item : nullptr;
}

void begin_video(JsonWriter& out, const Deps& deps, const state::CatalogItem& video,
                 const processors::ReadState& read, std::uint8_t flags, UnixMillis now) {
  const auto attributes = parse_json(video.item.attributes);
  const auto member = [&](const char* name) {
    return attributes && attributes->kind == JsonKind::kObject ? attributes->find(name) : nullptr;
  };
  const Json* file = member("video_file");
  const auto counts = read.counts(video.index);
  out.begin_object();
  out.member("id", video.natural);
  out.member("title", video.item.title);
  if (attributes && media_ref(*attributes)) {
    out.member("video_file",
               deps.options.public_url + "/media/videos/" + std::to_string(video.natural) + ".mp4");
  } else {
    out.member("video_file", file == nullptr ? std::string() : file->text);
  }
  out.key("product");
  append_product(out, read, member("product_id"));
  out.member("likes_count", counts.likes);
  out.member("is_liked", (flags & state::kLiked) != 0);
  out.member("is_saved", (flags & state::kSaved) != 0);
  out.member("trend_score", trend_score(counts, read.options, now));
}

std::unordered_map<state::ItemIndex, std::uint8_t> flags_of(const processors::ReadState& read) {
  std::unordered_map<state::ItemIndex, std::uint8_t> flags;
  if (!read.user.view.person) return flags;
  read.user.view.person->for_each_row([&](const state::ItemRow& row) {
    if (row.has(state::kLiked) || row.has(state::kSaved)) {
      flags.emplace(read.user.index_of(row.item), row.flags);
    }
  });
  return flags;
}

std::uint8_t flags_of(const processors::ReadState& read, state::ItemIndex item) {
  const auto flags = flags_of(read);
  const auto found = flags.find(item);
  return found == flags.end() ? 0 : found->second;
}

UserId caller_of(const Request& request) {
  return request.caller.account.value == 0 ? UserId() : user_of(request.caller.account);
}

Reply video_reply(const Deps& deps, const UserId& user, state::ItemIndex index, int status) {
  const auto read = deps.engine->read(user.value);
  if (!read) return problem(read.error());
  const auto* video = video_at(*read->catalog, index);
  if (video == nullptr) return problem({Code::kNotFound, "no video has this id", {}});
  std::string body;
  JsonWriter out(body);
  begin_video(out, deps, *video, *read, flags_of(*read, index), deps.clock->now());
  out.end_object();
  auto reply = json_reply(std::move(body), status);
  return status == 200 ? personal(std::move(reply)) : reply;
}

Answer with_video(const Request& request, const Deps& deps,
                  std::function<Answer(const ItemId&, state::ItemIndex)> next) {
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  const ItemId id("video:" + std::to_string(number_param(request).value_or(0)));
  const auto find = [deps, id]() -> std::optional<state::ItemIndex> {
    const auto index = deps.engine->items().find(id.value);
    if (!index || video_at(*deps.engine->catalog().view(), *index) == nullptr) return std::nullopt;
    return index;
  };
  const auto answer = [find, id, next = std::move(next)]() -> Answer {
    const auto index = find();
    if (!index) return problem({Code::kNotFound, "no video has this id", {}});
    return next(id, *index);
  };
  return find() ? after(deps, *position, answer) : behind_catalog(deps, *position, answer);
}

}  // namespace millrace::serving
