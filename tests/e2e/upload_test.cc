// Uploads to the built server: as large as they may be, many at once, cut off, and read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/video_file.h"

namespace millrace {
namespace {

constexpr std::size_t kLargest = 52'428'800;
constexpr std::size_t kMaxGrowth = 64u << 20;
const std::string kVideos = "/api/v1/shoppable-videos/";

class UploadTest : public testing::Test {
 protected:
  UploadTest() {
    start();
    HttpClient http(server_->port());
    const auto put = http.put("/v1/items/product:1", R"({"title":"A watch"})",
                              {{"Content-Type", "application/json"}});
    EXPECT_EQ(put.status, 201) << put.body;
  }
  void start() { server_.emplace(ServerProcess::Options{MILLRACE_BINARY, data(), {}, {}}); }
  std::string data() const { return directory_.path() / "data"; }
  std::size_t files(std::string_view ending = {}) const {
    return files_in(data() + "/media", ending);
  }
  static std::string form(const std::string& video) {
    return form_of({{"title", "One"}, {"product_id", "1"}, {"file", video, "one.mp4"}});
  }
  static std::string head(std::size_t bytes, const std::string& more = {}) {
    return "POST " + kVideos + " HTTP/1.1\r\nHost: h\r\nContent-Type: " + kFormType +
           "\r\nContent-Length: " + std::to_string(bytes) + "\r\n" + more + "\r\n";
  }
  HttpClient client() { return HttpClient(server_->port(), std::chrono::minutes(5)); }
  // The most memory that the server ever had, in bytes.
  std::uint64_t peak() const {
    std::ifstream in("/proc/" + std::to_string(server_->pid()) + "/status");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10;
    }
    return 0;
  }
  double metric(const std::string& name) {
    std::istringstream lines(client().get("/metrics").body);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) return std::stod(line.substr(name.size()));
    }
    return -1;
  }
  // Uploads of the largest videos by so many clients at once.
  void upload_at_once(int clients) {
    const auto body = form(mp4_of(kLargest));
    const auto small = client().post(kVideos, form(tiny_mp4()), {{"Content-Type", kFormType}});
    ASSERT_EQ(small.status, 201) << small.body;
    const auto before = server_->resident_bytes();
    std::vector<std::thread> threads;
    std::atomic<int> made = 0;
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([&] {
        auto http = client();
        const auto reply = http.post(kVideos, body, {{"Content-Type", kFormType}});
        if (reply.status == 201) ++made;
        EXPECT_EQ(reply.status, 201) << reply.body;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(made, clients);
    const auto growth = peak() - std::min(peak(), before);
    std::cout << clients << " uploads of 50 MB: memory grew by " << (growth >> 10) << " KiB\n";
    EXPECT_LT(growth, kMaxGrowth);
    EXPECT_EQ(files(".mp4"), static_cast<std::size_t>(clients) + 1);
    EXPECT_EQ(metric("media_files"), clients + 1);
  }

  TempDir directory_;
  std::optional<ServerProcess> server_;
};

TEST_F(UploadTest, MemoryStaysWhereItIs) { upload_at_once(3); }
TEST_F(UploadTest, TwentyClientsAtOnceLong) { upload_at_once(20); }

TEST_F(UploadTest, OneByteMoreIsTooLarge) {
  const auto body = form(mp4_of(kLargest + 1));
  auto http = client();
  http.send_raw(head(body.size()));
  http.send_raw(body);
  const auto reply = http.read_reply();
  EXPECT_EQ(reply.status, 413) << reply.body;
  EXPECT_NE(reply.body.find(R"("field":"file")"), std::string::npos) << reply.body;
  auto chunked = client();
  chunked.send_raw("POST " + kVideos + " HTTP/1.1\r\nHost: h\r\nContent-Type: " + kFormType +
                   "\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n");
  EXPECT_EQ(chunked.read_reply().status, 413);
  EXPECT_TRUE(eventually([&] { return files() == 0 && metric("media_used_bytes") == 0; }));
}

TEST_F(UploadTest, ATextNamedMp4IsRefused) {
  auto http = client();
  const auto body = form(std::string(1'000'000, 't'));
  http.send_raw(head(body.size()));
  http.send_raw(body);
  const auto reply = http.read_reply();
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("ftyp"), std::string::npos) << reply.body;
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
}

TEST_F(UploadTest, WhatBreaksOffLeavesNothing) {
  const auto body = form(mp4_of(5'000'000));
  for (int i = 0; i < 3; ++i) {
    auto http = client();
    http.send_raw(head(body.size()));
    http.send_raw(std::string_view(body).substr(0, 2'000'000));
    ASSERT_TRUE(eventually([&] { return files() == 1; })) << "it is being written";
    http.close();
    EXPECT_TRUE(eventually([&] { return files() == 0; }));
  }
  auto http = client();
  http.send_raw(head(body.size()));
  http.send_raw(std::string_view(body).substr(0, 2'000'000));
  ASSERT_TRUE(eventually([&] { return files() == 1; }));
  server_->kill_now();
  EXPECT_EQ(files(), 1u);
  start();
  EXPECT_EQ(files(), 0u) << "swept at the start";
}

TEST_F(UploadTest, ItIsAskedForAndReadBack) {
  const auto video = mp4_of(3'000'000);
  const auto body = form(video);
  auto http = client();
  http.send_raw(head(body.size(), "Expect: 100-continue\r\n"));
  ASSERT_EQ(http.read_reply().status, 100);
  http.send_raw(body);
  const auto made = http.read_reply();
  ASSERT_EQ(made.status, 201) << made.body;
  const auto target = Answer(made.body)["video_file"].text();
  const auto path = target.substr(target.find("/media/"));
  const auto whole = http.get(path);
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == video);
  const auto part = http.get(path, {{"Range", "bytes=1000000-1999999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_TRUE(part.body == video.substr(1'000'000, 1'000'000));
  const auto first = http.head(path);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("content-length"), "3000000");
  EXPECT_EQ(first.header("accept-ranges"), "bytes");
  const auto tag = first.header("etag");
  EXPECT_EQ(http.get(path, {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(http.get(path, {{"If-None-Match", tag}, {"Range", "bytes=0-9"}}).status, 304);
  EXPECT_EQ(http.get(path, {{"Range", "bytes=3000000-"}}).status, 416);
  EXPECT_EQ(http.del(kVideos + "1/").status, 204);
  EXPECT_EQ(http.get(path).status, 404);
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
}

TEST_F(UploadTest, AStillPictureIsMadeOfIt) {
  if (!program_exists("ffmpeg")) GTEST_SKIP() << "no ffmpeg: apt-get install ffmpeg";
  const auto made = client().post(kVideos, form(tiny_mp4()), {{"Content-Type", kFormType}});
  ASSERT_EQ(made.status, 201) << made.body;
  HttpReply poster;
  ASSERT_TRUE(eventually([&] {
    poster = client().get("/media/videos/1.jpg");
    return poster.status == 200;
  }));
  EXPECT_EQ(poster.header("content-type"), "image/jpeg");
  EXPECT_TRUE(poster.body.starts_with("\xff\xd8"));
  EXPECT_EQ(files(), 2u);
  EXPECT_EQ(client().del(kVideos + "1/").status, 204);
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
}

TEST_F(UploadTest, ABackupHasTheVideos) {
  const auto made = client().post(kVideos, form(tiny_mp4()), {{"Content-Type", kFormType}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(server_->terminate(), 0);
  const auto backup = (directory_.path() / "backup").string();
  for (const auto& args : {std::vector<std::string>{"backup", backup, "--data", data()},
                           {"restore", backup, "--data", data() + "-2"}}) {
    std::vector<std::string> command = {MILLRACE_BINARY};
    command.insert(command.end(), args.begin(), args.end());
    const auto result = run_command(command);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  ServerProcess restored({MILLRACE_BINARY, data() + "-2", {}, {}});
  EXPECT_TRUE(HttpClient(restored.port()).get("/media/videos/1.mp4").body == tiny_mp4());
}

}  // namespace
}  // namespace millrace
