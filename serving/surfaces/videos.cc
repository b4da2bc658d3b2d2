#include "serving/surfaces/videos.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "serving/media/media.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/media_files.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/video_body.h"
#include "serving/surfaces/video_form.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr const char* kBase = "/api/v1/shoppable-videos/";

// ---- upload

std::uint64_t body_bytes(const Request& request) {
  const auto length = request.header("content-length");
  std::uint64_t bytes = UINT64_MAX;  // not said
  if (length) std::from_chars(length->data(), length->data() + length->size(), bytes);
  return bytes;
}

Answer upload(const Request& request, const Deps& deps) {
  if (deps.media == nullptr)
    return problem({Code::kUnavailable, "this server keeps no videos", {}});
  const auto type = request.header("content-type").value_or(std::string_view());
  const auto boundary = form_boundary(type);
  if (!boundary) return problem(415, "send multipart/form-data with a boundary");
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  const auto bytes = body_bytes(request);
  const auto most = deps.media->options().max_file_bytes;
  if (bytes != UINT64_MAX && bytes > most + VideoForm::kOverhead) {
    return problem({Code::kTooLarge, "must be at most " + std::to_string(most) + " bytes", "file"});
  }
  auto place = deps.media->enter();
  if (!place) return problem({Code::kExhausted, "as many uploads as may be are under way", {}});
  std::optional<Actor> actor;
  if (request.caller.account.value == 0) actor = actor_of(request);
  Uploader by{caller_of(request), request.caller.account, std::move(actor), *std::move(name),
              *position};
  auto form = VideoForm::open(deps, std::move(by), *boundary, bytes, std::move(place));
  if (!form) return problem(507, form.error().detail);
  Reply reply;
  reply.sink = *std::move(form);
  return reply;
}

// ---- one's own

std::optional<UploadedVideo> uploaded_at(const Deps& deps, state::ItemIndex index) {
  return uploaded_video(deps.engine->catalog().view()->share(index));
}

Answer remove(const Request& request, const Deps& deps) {
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return with_video(
      request, deps,
      [deps, name = *std::move(name), caller = request.caller, actor = actor_of(request)](
          const ItemId& id, state::ItemIndex index) -> Answer {
        const auto video = uploaded_at(deps, index);
        const bool own = video && caller.account.value != 0 && video->uploader == caller.account;
        if (!own && !caller.admin()) {
          return problem({Code::kForbidden, "this video was uploaded by somebody else", {}});
        }
        return command(deps, {name, DeleteItem{id}, own ? std::nullopt : actor},
                       [deps, name](const Position&) {
                         const auto outcome = deps.engine->catalog().outcome(name);
                         if (outcome == CommandOutcome::kDeleted) return no_content();
                         return problem({Code::kNotFound, "no video has this id", {}});
                       });
      });
}

// The number below which a page of one's videos begins.
Result<std::uint64_t> below_param(const Request& request) {
  MILLRACE_TRY(const auto text, cursor_param(request));
  std::uint64_t below = UINT64_MAX;
  if (text.empty()) return below;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, below);
  if (read.ec == std::errc() && read.ptr == end) return below;
  return fail(Code::kInvalid, "must be one that an earlier answer gave", "cursor");
}

// The last one uploaded comes first.
Reply list_mine(const Request& request, const Deps& deps) {
  const auto person = person_of(request);
  if (!person) return problem(person.error());
  const auto below = below_param(request);
  if (!below) return problem(below.error());
  const auto limit = limit_param(request);
  if (!limit) return problem(limit.error());
  const auto read = deps.engine->read(user_of(*person).value);
  if (!read) return problem(read.error());
  const auto videos = deps.media ? deps.media->videos() : std::make_shared<UploadedVideos>();
  const auto flags = flags_of(*read);
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  std::size_t shown = 0;
  std::optional<std::uint64_t> last, next;
  for (auto at = std::make_reverse_iterator(videos->lower_bound(*below)); at != videos->rend();
       ++at) {
    const auto* video =
        at->second.uploader == *person ? video_at(*read->catalog, at->second.item->index) : nullptr;
    if (video == nullptr) continue;
    if (shown++ == *limit) {
      next = last;
      break;
    }
    const auto found = flags.find(video->index);
    begin_video(out, deps, *video, *read, found == flags.end() ? 0 : found->second,
                deps.clock->now());
    out.end_object();
    last = at->first;
  }
  out.end_array();
  auto reply = personal(json_reply(std::move(body)));
  if (next) {
    reply.headers.emplace_back(
        "Link", "<" + deps.options.public_url + request.path + "?limit=" + std::to_string(*limit) +
                    "&cursor=" + cursor_of(std::to_string(*next)) + ">; rel=\"next\"");
  }
  return reply;
}

}  // namespace

std::vector<Route> video_routes(const Deps& deps) {
  const std::string base = kBase;
  std::vector<Route> routes = {
      {"POST", base, Policy::kUser, [deps](const Request& r) { return upload(r, deps); }, {}, true},
      {"GET", base + "mine/", Policy::kUser,
       [deps](const Request& r) { return when_visible(r, deps, list_mine); }},
      {"DELETE", base + "{id}/", Policy::kUser,
       [deps](const Request& r) { return remove(r, deps); }},
  };
  auto files = media_file_routes(deps);
  std::move(files.begin(), files.end(), std::back_inserter(routes));
  return routes;
}

}  // namespace millrace::serving
