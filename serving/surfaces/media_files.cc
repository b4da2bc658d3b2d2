#include "serving/surfaces/media_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "serving/http/reply_writer.h"
#include "serving/media/media.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/slow_work.h"
#include "serving/surfaces/video_body.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kMaxReading = 1'024;  // requests that wait for the disk

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

// A stretch of a file, read by a thread of its own, as the client takes it.
class FileStream final : public BodyStream {
 public:
  FileStream(std::shared_ptr<Descriptor> file, const ByteRange& range, WorkThread& reading)
      : file_(std::move(file)), at_(range.begin), end_(range.end), reading_(reading) {}

  void next(Give give) override {
    const auto from = at_;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end_ - at_));
    at_ += size;
    // Each client waits for one piece at a time.
    reading_.submit(
        [file = file_, from, size, give = std::move(give)](bool stopping) {
          std::string piece(size, '\0');
          const auto read =
              stopping ? -1 : ::pread(file->get(), piece.data(), size, static_cast<off_t>(from));
          if (read != static_cast<ssize_t>(size)) return give(std::nullopt);
          give(std::move(piece));
        },
        SIZE_MAX);
  }

 private:
  const std::shared_ptr<Descriptor> file_;
  std::uint64_t at_;
  const std::uint64_t end_;
  WorkThread& reading_;
};

// What of a request decides about a file's answer.
struct Conditions {
  std::optional<std::string> range, if_range, none_match, modified_since;

  explicit Conditions(const Request& request)
      : range(request.method == "GET" ? request.header("range") : std::nullopt),
        if_range(request.header("if-range")),
        none_match(request.header("if-none-match")),
        modified_since(request.header("if-modified-since")) {}
};

Reply not_found() { return problem({Code::kNotFound, "no video has this id", {}}); }

// On the reading thread. Validators are compared as they were given out, byte for byte.
Reply file_reply(Media& media, const Conditions& asked, const std::string& path,
                 const std::string& type, const std::string& tag, UnixMillis modified) {
  const auto file = std::make_shared<Descriptor>(path);
  struct stat status {};
  if (file->get() < 0 || ::fstat(file->get(), &status) != 0) return not_found();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const auto date = http_date(modified);
  Reply reply;
  reply.content_type = type;
  reply.headers = {{"Accept-Ranges", "bytes"},
                   {"ETag", tag},
                   {"Last-Modified", date},
                   {"Cache-Control", "public, max-age=31536000, immutable"},
                   {"X-Content-Type-Options", "nosniff"}};
  if (!asked.none_match && asked.modified_since == date) {
    reply.status = 304;
    return reply;
  }
  const bool same = !asked.if_range || asked.if_range == tag || asked.if_range == date;
  const auto range = byte_range(same && asked.range ? asked.range : std::nullopt, size);
  if (range.unsatisfiable) {
    auto refusal = problem(416, "the file has " + std::to_string(size) + " bytes");
    refusal.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
    return refusal;
  }
  if (range.part && !(asked.none_match && etag_matches(*asked.none_match, tag))) {
    reply.status = 206;
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.begin) + "-" +
                                                    std::to_string(range.end - 1) + "/" +
                                                    std::to_string(size));
  }
  reply.length = range.end - range.begin;
  reply.stream = std::make_shared<FileStream>(file, range, media.reading());
  return reply;
}

std::optional<UploadedVideo> asked_video(const Request& request, const Deps& deps) {
  const auto number = number_param(request);
  if (deps.media == nullptr || !number) return std::nullopt;
  const auto index = deps.engine->items().find("video:" + std::to_string(*number));
  const auto view = deps.engine->catalog().view();
  if (!index || video_at(*view, *index) == nullptr) return std::nullopt;
  return uploaded_video(view->share(*index));
}

Answer get_file(const Request& request, const Deps& deps) {
  const auto video = asked_video(request, deps);
  if (!video) return not_found();
  auto& media = *deps.media;
  const auto answer = [&media, asked = Conditions(request), file = video->media.file,
                       tag = '"' + video->media.digest + '"',
                       modified = video->item->first_put](Answer otherwise) -> Answer {
    if (!media.store().has(file)) return otherwise;
    return file_reply(media, asked, media.store().path(file), "video/mp4", tag, modified);
  };
  // Another node that asks wants what is here.
  const bool here_only = request.header("x-millrace-node").has_value();
  return on_work_thread(
      media.reading(), kMaxReading,
      [&media, answer, here_only, number = video->item->natural]() -> Answer {
        if (here_only) return answer(not_found());
        return answer(Later{[&media, answer, number](const std::function<void(Render)>& finish) {
          const bool waits = media.want(number, [answer, finish](bool) {
            finish_with(
                answer(problem({Code::kUnavailable, "the file is on another node: try again", {}})),
                finish);
          });
          if (!waits) {
            finish(
                rendered(problem({Code::kExhausted, "too many wait for the same: try again", {}})));
          }
        }});
      });
}

Answer get_poster(const Request& request, const Deps& deps) {
  const auto video = asked_video(request, deps);
  if (!video) return not_found();
  auto& media = *deps.media;
  return on_work_thread(media.reading(), kMaxReading,
                        [&media, asked = Conditions(request), video = *video]() -> Answer {
                          return file_reply(media, asked, media.store().poster(video.media.file),
                                            "image/jpeg", "\"p" + video.media.digest + '"',
                                            video.item->first_put);
                        });
}

}  // namespace

ByteRange byte_range(std::optional<std::string_view> field, std::uint64_t size) {
  const ByteRange whole{0, size, false, false};
  constexpr std::string_view kUnit = "bytes=";
  if (!field || !field->starts_with(kUnit)) return whole;
  const auto text = field->substr(kUnit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return whole;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return std::nullopt;
    }
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (dash == 0 && last) {  // the last so many
    if (*last == 0 || size == 0) return {0, 0, false, true};
    return {size - std::min(*last, size), size, true, false};
  }
  const bool open = dash + 1 == text.size();
  if (!first || (!last && !open) || (last && *last < *first)) return whole;
  if (*first >= size) return {0, 0, false, true};
  return {*first, open ? size : std::min(*last, size - 1) + 1, true, false};
}

std::vector<Route> media_file_routes(const Deps& deps) {
  return {
      {"GET", "/media/videos/{id}.mp4", Policy::kPublic,
       [deps](const Request& request) { return get_file(request, deps); }},
      {"GET", "/media/videos/{id}.jpg", Policy::kPublic,
       [deps](const Request& request) { return get_poster(request, deps); }},
  };
}

}  // namespace millrace::serving
