#include "serving/media/media.h"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

#include "base/log.h"
#include "serving/media/poster.h"

namespace millrace::serving {
namespace {

constexpr std::chrono::milliseconds kLook{250};  // how often the catalog is looked at
constexpr std::chrono::seconds kRetry{5};        // after a copy failed
constexpr std::chrono::hours kSweep{1};          // how often, and how old what goes must be
constexpr std::size_t kMaxWanted = 256;

bool has(const UploadedVideos& videos, const UploadedVideo& video) {
  const auto found = videos.find(video.item->natural);
  return found != videos.end() && found->second.media.file == video.media.file;
}

}  // namespace

std::optional<UploadedVideo> uploaded_video(std::shared_ptr<const state::CatalogItem> item) {
  if (item == nullptr || item->item.kind != "video" || item->natural == UINT64_MAX ||
      item->item.attributes.find("\"media\"") == std::string::npos) {
    return std::nullopt;
  }
  const auto attributes = parse_json(item->item.attributes);
  auto media = attributes ? media_ref(*attributes) : std::nullopt;
  if (!media) return std::nullopt;
  UploadedVideo video{std::move(item), *std::move(media), {}};
  if (const Json* uploader = attributes->find("uploader")) {
    std::from_chars(uploader->text.data(), uploader->text.data() + uploader->text.size(),
                    video.uploader.value);
  }
  return video;
}

Media::Media(const MediaOptions& options, MediaLinks links, Metrics& metrics)
    : options_(options),
      links_(std::move(links)),
      copies_(metrics.counter("media_copies_total", "Videos copied from other nodes.")),
      failures_(metrics.counter("media_copy_failures_total",
                                "Copies that could not be made, and are tried again.")) {}

Result<std::unique_ptr<Media>> Media::open(const MediaOptions& options, MediaLinks links,
                                           Metrics& metrics) {
  std::unique_ptr<Media> media(new Media(options, std::move(links), metrics));
  MILLRACE_TRY(media->store_, MediaStore::open(options, metrics));
  media->sweep(std::chrono::seconds(0));
  media->thread_ =
      std::jthread([raw = media.get()](const std::stop_token& stop) { raw->run(stop); });
  return media;
}

Media::~Media() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  for (auto& [number, waiting] : std::exchange(wanted_, {})) {
    for (const auto& done : waiting) done(false);
  }
}

std::shared_ptr<void> Media::enter() {
  if (uploads_->fetch_add(1) >= options_.max_uploads) {
    uploads_->fetch_sub(1);
    return nullptr;
  }
  return {uploads_.get(), [uploads = uploads_](void*) { uploads->fetch_sub(1); }};
}

std::shared_ptr<const UploadedVideos> Media::videos() {
  const auto view = links_.catalog();
  const std::lock_guard lock(index_mutex_);
  if (videos_ && changed_ >= view->items_changed()) return videos_;
  auto made = std::make_shared<UploadedVideos>();
  view->for_each(0, [&](const state::CatalogItem& item) {
    const auto old = videos_ ? videos_->find(item.natural) : UploadedVideos::const_iterator();
    if (videos_ && old != videos_->end() && old->second.item.get() == &item) {
      made->insert(*old);
    } else if (auto video = uploaded_video(view->share(item.index))) {
      made->emplace(item.natural, *std::move(video));
    }
    return true;
  });
  videos_ = std::move(made);
  changed_ = view->items_changed();
  return videos_;
}

bool Media::want(std::uint64_t number, std::function<void(bool)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (wanted_.size() >= kMaxWanted && !wanted_.contains(number)) return false;
    if (wanted_[number].size() >= kMaxWanted) return false;
    wanted_[number].push_back(std::move(done));
  }
  changed_here_.notify_all();
  return true;
}

// What no video refers to: the crash, or the failed append, of an upload left it.
void Media::sweep(std::chrono::seconds age) {
  std::set<std::string> known;
  for (const auto& [number, video] : *videos()) known.insert(video.media.file);
  store_->remove_all_but(known, age);
  swept_at_ = std::chrono::steady_clock::now();
}

void Media::took(UploadedVideo video) {
  const std::lock_guard lock(mutex_);
  taken_.push_back(std::move(video));
}

void Media::run(const std::stop_token& stop) {
  std::shared_ptr<const UploadedVideos> before = std::make_shared<UploadedVideos>();
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    const auto taken = std::exchange(taken_, {});
    lock.unlock();
    const auto now = videos();  // after that: what it does not show of them is gone
    for (const auto& video : taken) remove_gone(video, *now);
    if (now != before) follow(*before, *now);
    before = now;
    if (const auto number = next(stop)) bring(*number);
    if (std::chrono::steady_clock::now() > swept_at_ + kSweep) sweep(kSweep);
  }
}

void Media::follow(const UploadedVideos& before, const UploadedVideos& now) {
  for (const auto& [number, video] : before) remove_gone(video, now);
  for (const auto& [number, video] : now) {
    if (!has(before, video)) due_[number] = {};
  }
}

void Media::remove_gone(const UploadedVideo& video, const UploadedVideos& now) {
  if (!has(now, video)) store_->remove(video.media.file);
}

// What is to be brought next: what somebody waits for, else what is due. Nothing: look again.
std::optional<std::uint64_t> Media::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!wanted_.empty()) return wanted_.begin()->first;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [number, due] : due_) {
    if (due.at <= now) return number;
  }
  changed_here_.wait_for(lock, stop, kLook, [this] { return !wanted_.empty(); });
  return std::nullopt;
}

void Media::bring(std::uint64_t number) {
  const auto videos = this->videos();
  const auto found = videos->find(number);
  if (found == videos->end()) {
    due_.erase(number);
    return answer(number, false);
  }
  const auto& media = found->second.media;
  if (!store_->has(media.file)) {
    const auto copied = copy(number, media);
    answer(number, copied.has_value());
    if (!copied) {
      auto& due = due_[number];
      if (!std::exchange(due.failed, true)) {
        log_warn("the file of video:" + std::to_string(number) +
                 " is not here, and cannot be copied now: " + copied.error().detail);
      }
      due.at = std::chrono::steady_clock::now() + kRetry;
      failures_.inc();
      return;
    }
    copies_.inc();
    took(found->second);
  }
  answer(number, true);
  due_.erase(number);
  const auto poster = store_->poster(media.file);
  std::error_code ignored;
  if (!std::filesystem::exists(poster, ignored)) {
    make_poster(options_.ffmpeg, store_->path(media.file), poster);
  }
}

Status Media::copy(std::uint64_t number, const MediaRef& media) {
  if (!links_.fetch) return fail(Code::kNotFound, "no other node could have it");
  MILLRACE_TRY(const auto file, store_->create(media.file, media.bytes));
  MILLRACE_CHECK(
      links_.fetch(number, media, [&file](std::string_view bytes) { return file->append(bytes); }));
  if (file->bytes() != media.bytes || file->digest() != media.digest) {
    return fail(Code::kCorrupt, "what arrived is not what was uploaded");
  }
  return file->commit();
}

void Media::answer(std::uint64_t number, bool here) {
  std::vector<std::function<void(bool)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = wanted_.find(number);
    if (found == wanted_.end()) return;
    waiting = std::move(found->second);
    wanted_.erase(found);
  }
  for (const auto& done : waiting) done(here);
}

}  // namespace millrace::serving
