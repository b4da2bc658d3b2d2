#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "schemas/account.h"
#include "serving/media/media_ref.h"
#include "serving/media/media_store.h"
#include "serving/surfaces/work_thread.h"
#include "state/catalog_view.h"

namespace millrace::serving {

// A video that was uploaded here or on another node.
struct UploadedVideo {
  std::shared_ptr<const state::CatalogItem> item;
  MediaRef media;
  AccountId uploader;  // 0: nobody's
};
using UploadedVideos = std::map<std::uint64_t, UploadedVideo>;  // by number

// Nothing for an item that no upload made.
std::optional<UploadedVideo> uploaded_video(std::shared_ptr<const state::CatalogItem> item);

// What media need of the rest.
struct MediaLinks {
  std::function<std::shared_ptr<const state::CatalogView>()> catalog;  // up to date when it begins
  // Gives another node's bytes of a video, piece by piece, in order. Null: there are no others.
  std::function<Status(std::uint64_t number, const MediaRef& media,
                       const std::function<Status(std::string_view)>& take)>
      fetch;
};

// The files of uploaded videos: on disk as the catalog has them. A thread of its own watches the
// catalog: removes the file of a video that is gone, copies that of one that another node has,
// makes posters. Thread-safe.
class Media {
 public:
  // Removes what no video of the catalog refers to.
  static Result<std::unique_ptr<Media>> open(const MediaOptions& options, MediaLinks links,
                                             Metrics& metrics);
  ~Media();

  const MediaOptions& options() const { return options_; }
  MediaStore& store() { return *store_; }
  WorkThread& disk() { return disk_; }  // of writers
  WorkThread& reading() { return reading_; }
  // Takes one of the places of uploads, given back when the handle goes; null: none is free.
  std::shared_ptr<void> enter();

  std::shared_ptr<const UploadedVideos> videos();
  // The file of a video that the catalog has, or had just now, is here: it goes with the video even
  // when that came and went between two looks at the catalog.
  void took(UploadedVideo video);
  // Copies the file of a video before all others; `done(true)` once it is here. False: as many as
  // may wait already.
  bool want(std::uint64_t number, std::function<void(bool here)> done);

 private:
  Media(const MediaOptions& options, MediaLinks links, Metrics& metrics);
  void sweep(std::chrono::seconds age);
  void run(const std::stop_token& stop);
  void follow(const UploadedVideos& before, const UploadedVideos& now);
  void remove_gone(const UploadedVideo& video, const UploadedVideos& now);
  std::optional<std::uint64_t> next(const std::stop_token& stop);
  void bring(std::uint64_t number);
  Status copy(std::uint64_t number, const MediaRef& media);
  void answer(std::uint64_t number, bool here);

  const MediaOptions options_;
  const MediaLinks links_;
  std::unique_ptr<MediaStore> store_;
  Counter& copies_;
  Counter& failures_;
  std::shared_ptr<std::atomic<std::uint32_t>> uploads_ =
      std::make_shared<std::atomic<std::uint32_t>>(0);

  std::mutex index_mutex_;
  Offset changed_ = -1;  // CatalogView::items_changed that videos_ are of
  std::shared_ptr<const UploadedVideos> videos_;

  std::mutex mutex_;
  std::condition_variable_any changed_here_;  // wanted_
  std::map<std::uint64_t, std::vector<std::function<void(bool)>>> wanted_;
  std::vector<UploadedVideo> taken_;  // since the last look

  // The thread's: videos whose file may not be here, or has no poster.
  struct Due {
    std::chrono::steady_clock::time_point at{};
    bool failed = false;
  };
  std::map<std::uint64_t, Due> due_;
  std::chrono::steady_clock::time_point swept_at_{};

  WorkThread disk_;
  WorkThread reading_;   // apart, so that a picture does not wait for what is being synced
  std::jthread thread_;  // last: joins before the rest goes
};

}  // namespace millrace::serving
