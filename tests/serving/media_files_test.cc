// The files of videos: read in ranges, swept, bounded, copied, pictured.
#include "serving/surfaces/media_files.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/serving/video_world.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

TEST_F(Videos, AFileIsReadWholeAndInRanges) {
  upload_as(ann_);
  const auto video = tiny_mp4();
  const auto size = std::to_string(video.size());
  const auto whole = get("/media/videos/1.mp4");
  EXPECT_EQ(whole.status(), 200);
  EXPECT_EQ(whole.reply.content_type, "video/mp4");
  EXPECT_EQ(whole.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(whole.header("Cache-Control"), "public, max-age=31536000, immutable");
  const auto tag = whole.header("ETag"), date = whole.header("Last-Modified");
  EXPECT_EQ(tag.size(), 34u);
  const auto part = get("/media/videos/1.mp4", {{"range", "bytes=100-299"}});
  EXPECT_EQ(part.status(), 206);
  EXPECT_EQ(part.body(), video.substr(100, 200));
  EXPECT_EQ(part.header("Content-Range"), "bytes 100-299/" + size);
  EXPECT_EQ(get("/media/videos/1.mp4", {{"range", "bytes=-50"}}).body(),
            video.substr(video.size() - 50));
  EXPECT_EQ(get("/media/videos/1.mp4", {{"range", "bytes=500-"}}).body(), video.substr(500));
  const auto beyond = get("/media/videos/1.mp4", {{"range", "bytes=" + size + "-"}});
  EXPECT_EQ(beyond.status(), 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */" + size);
  const auto ranged = [&](const std::string& if_range) {
    return get("/media/videos/1.mp4", {{"range", "bytes=0-9"}, {"if-range", if_range}}).status();
  };
  EXPECT_EQ(ranged(tag), 206);
  EXPECT_EQ(ranged(date), 206);
  EXPECT_EQ(ranged("\"another\""), 200);
  EXPECT_EQ(ranged("W/" + tag), 200) << "weak ones do not do";
  EXPECT_EQ(get("/media/videos/1.mp4", {{"if-modified-since", date}}).status(), 304);
  for (const char* none : {"/media/videos/2.mp4", "/media/videos/one.mp4", "/media/videos/1.jpg"}) {
    EXPECT_EQ(get(none).status(), 404) << none;
  }
}

TEST(ByteRange, AsTheFieldSays) {
  using serving::byte_range;
  const auto shown = [](const char* field) {
    const auto range = byte_range(field, 100);
    if (range.unsatisfiable) return std::string("none");
    return (range.part ? "" : "whole ") + std::to_string(range.begin) + "-" +
           std::to_string(range.end);
  };
  EXPECT_EQ(shown("bytes=0-0"), "0-1");
  EXPECT_EQ(shown("bytes=99-"), "99-100");
  EXPECT_EQ(shown("bytes=10-1000"), "10-100");
  EXPECT_EQ(shown("bytes=-1"), "99-100");
  EXPECT_EQ(shown("bytes=-1000"), "0-100");
  EXPECT_EQ(shown("bytes=100-"), "none");
  EXPECT_EQ(shown("bytes=-0"), "none");
  for (const char* ignored : {"bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,3-4",
                              "items=0-1", "bytes=0", "bytes=0-99999999999999999999"}) {
    EXPECT_EQ(shown(ignored), "whole 0-100") << ignored;
  }
  EXPECT_TRUE(byte_range("bytes=-1", 0).unsatisfiable);
  EXPECT_FALSE(byte_range(std::nullopt, 100).part);
}

TEST_F(Videos, WhatACrashLeftIsSweptAtTheStart) {
  upload_as(ann_);
  for (const char* name : {"orphan.mp4", "orphan.jpg", "half.part", "half.mp4.part"}) {
    std::ofstream(node_.media_folder() + "/" + name) << "left";
  }
  node_.restart();
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(get("/media/videos/1.mp4").body(), tiny_mp4());
  EXPECT_EQ(node_.media().store().used_bytes(), tiny_mp4().size());
}

TEST_F(Videos, UploadsAtOnceAreBounded) {
  std::vector<std::shared_ptr<void>> places;
  for (std::uint32_t i = 0; i < node_.media().options().max_uploads; ++i) {
    places.push_back(node_.media().enter());
  }
  EXPECT_EQ(upload(good()).status(), 429);
  places.pop_back();
  EXPECT_EQ(upload(good()).status(), 201);
  EXPECT_EQ(upload(good()).status(), 201) << "the place is given back";
}

class FewVideos : public Videos {
 protected:
  FewVideos()
      : Videos([] {
          TestNodeOptions options;
          options.media.max_bytes = 35'000;
          return options;
        }()) {}
};

TEST_F(FewVideos, WhatTheyTakeIsBounded) {
  ASSERT_EQ(upload(good()).status(), 201);
  ASSERT_EQ(upload(good()).status(), 201);
  const auto full = upload(with("file", mp4_of(16'000), "a.mp4"));
  EXPECT_EQ(full.status(), 507) << full.body();
  EXPECT_EQ(upload(good()).status(), 201) << "a smaller one fits";
  EXPECT_NE(node_.metrics().text().find("\nmedia_files 3\n"), std::string::npos);
  EXPECT_NE(node_.metrics().text().find("\nmedia_free_bytes " +
                                        std::to_string(35'000 - 3 * tiny_mp4().size()) + "\n"),
            std::string::npos);
  node_.call("DELETE", kBase + "1/", {}, ann_.as());
  ASSERT_TRUE(
      eventually([&] { return node_.media().store().used_bytes() == 2 * tiny_mp4().size(); }));
  EXPECT_EQ(upload(good()).status(), 201);
  EXPECT_EQ(files(), 3u);
}

struct Elsewhere {
  void have(const std::string& bytes) {
    const std::lock_guard lock(mutex);
    elsewhere = bytes;
  }
  Status fetch(const serving::MediaRef& media,
               const std::function<Status(std::string_view)>& take) {
    EXPECT_EQ(media.bytes, tiny_mp4().size());
    ++asked;
    const std::lock_guard lock(mutex);
    return elsewhere.empty() ? Status(fail(Code::kUnavailable, "nobody has it")) : take(elsewhere);
  }

  std::atomic<int> asked{0};
  std::mutex mutex;
  std::string elsewhere;
};

// A node whose files another one has, too.
class CopiedVideos : protected Elsewhere, public Videos {
 protected:
  CopiedVideos()
      : Videos([this] {
          TestNodeOptions options;
          options.fetch_media = [this](std::uint64_t, const serving::MediaRef& media,
                                       const auto& take) { return fetch(media, take); };
          return options;
        }()) {}
  void lose_file() {
    for (const auto& entry : fs::directory_iterator(node_.media_folder())) fs::remove(entry);
    node_.restart();
  }
};

TEST_F(CopiedVideos, AFileThatIsNotHereComesFromAnotherNode) {
  upload_as(ann_);
  lose_file();
  EXPECT_EQ(get("/media/videos/1.mp4", {{"x-millrace-node", "copies"}}).status(), 404)
      << "whom another node asks says what it has";
  const auto nowhere = get("/media/videos/1.mp4");
  EXPECT_EQ(nowhere.status(), 503);
  have(std::string(tiny_mp4().size(), 'x'));
  EXPECT_EQ(get("/media/videos/1.mp4").status(), 503) << "not the bytes that were uploaded";
  EXPECT_EQ(files(), 0u);
  have(tiny_mp4());
  EXPECT_EQ(get("/media/videos/1.mp4").body(), tiny_mp4());
  EXPECT_EQ(files(), 1u);
  EXPECT_GT(asked, 2);
}

TEST_F(CopiedVideos, FilesComeBeforeTheyAreAskedFor) {
  upload_as(ann_);
  have(tiny_mp4());
  lose_file();
  EXPECT_TRUE(files_become(1));
  // Not text(), which asks what the node of before the restart has left behind.
  const auto& copies = node_.metrics().counter("media_copies_total", "");
  EXPECT_TRUE(eventually([&] { return copies.value() == 1; }));
}

// A program in ffmpeg's place that writes its last argument's file.
struct Programs {
  TempDir folder;
};
class VideosWithPosters : protected Programs, public Videos {
 protected:
  VideosWithPosters()
      : Videos([this] {
          TestNodeOptions options;
          options.media.ffmpeg = folder.path() / "ffmpeg";
          std::ofstream(options.media.ffmpeg)
              << "#!/bin/sh\nfor out; do :; done\necho picture > \"$out\"\n";
          ::chmod(options.media.ffmpeg.c_str(), 0755);
          return options;
        }()) {}
};

TEST_F(VideosWithPosters, AVideoHasAStillPicture) {
  upload_as(ann_);
  TestReply poster;
  ASSERT_TRUE(eventually([&] {
    poster = get("/media/videos/1.jpg");
    return poster.status() == 200;
  }));
  EXPECT_EQ(poster.body(), "picture\n");
  EXPECT_EQ(poster.reply.content_type, "image/jpeg");
  node_.call("DELETE", kBase + "1/", {}, ann_.as());
  EXPECT_TRUE(files_become(0));
}

}  // namespace
}  // namespace millrace
