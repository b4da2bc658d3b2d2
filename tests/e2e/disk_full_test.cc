// A full disk: ingest stops with 503, reads go on, ingest resumes by itself when there is space
// again, and nothing acknowledged is lost or counted twice.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kItems = 8;
constexpr int kUsers = 20;
constexpr const char* kSize = "size=64m";

// A small filesystem in memory at `path`, gone with it.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path path) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, kSize) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  // Takes every byte that is left.
  void fill() const {
    std::ofstream out(path_ / "ballast", std::ios::binary | std::ios::app);
    const std::string block(4096, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void free() const { fs::remove(path_ / "ballast"); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

class DiskFull : public testing::Test {
 protected:
  // `full` is the part of the data folder that lies on the small disk: "" for all of it.
  void run(const std::string& full) {
    const auto data = directory_.path() / "data";
    const SmallDisk disk(full.empty() ? data : data / full);
    if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
    const ServerProcess::Options options{
        .binary = MILLRACE_BINARY,
        .data = data.string(),
        .args = {"--log-level", "warn", "--log-segment", "1MiB", "--memory", "64MiB"},
        .environment = {}};
    {
      ServerProcess server(options);
      HttpClient http(server.port(), std::chrono::seconds(30));
      put_items(http);
      for (int i = 0; i < 20; ++i) ASSERT_EQ(send(http), 200);
      disk.fill();
      refused_while_full(http);
      disk.free();
      // By itself: nothing is restarted, nobody tells it.
      ASSERT_TRUE(eventually([&] { return send(http) == 200; }, std::chrono::seconds(60)))
          << server.errors();
      for (int i = 0; i < 20; ++i) ASSERT_EQ(send(http), 200);
      EXPECT_TRUE(eventually([&] { return writable(http) == 1; }));
      expect_state(http);
      // Full again and killed: what was acknowledged is on the disk.
      disk.fill();
      for (int i = 0; i < 20; ++i) send(http);
      server.kill_now();
    }
    disk.free();
    ServerProcess again(options);
    HttpClient http(again.port(), std::chrono::seconds(30));
    ASSERT_TRUE(eventually([&] { return send(http) == 200; }, std::chrono::seconds(60)))
        << again.errors();
    expect_state(http);
  }

 private:
  static void put_items(HttpClient& http) {
    for (int i = 0; i < kItems; ++i) {
      ASSERT_EQ(http.put("/v1/items/video:" + std::to_string(i), R"({"title":"A video"})",
                         {{"Content-Type", "application/json"}})
                    .status,
                201);
    }
  }

  // One batch of events; the same again as long as it is refused. The status, which is 200 or 503;
  // the oracle knows what was acknowledged.
  int send(HttpClient& http, const std::string& query = "") {
    if (pending_.empty()) make_batch();
    std::string body;
    for (const auto& event : pending_) body += event.json() + "\n";
    const auto reply =
        http.post("/v1/events" + query, body, {{"Content-Type", "application/x-ndjson"}});
    if (reply.status == 200) {
      for (const auto& event : pending_) oracle_.apply(event);
      pending_.clear();
    } else {
      EXPECT_EQ(reply.status, 503) << reply.body;
      EXPECT_NE(reply.header("retry-after"), "") << reply.body;
    }
    return reply.status;
  }
  void make_batch() {
    static constexpr const char* kTypes[] = {"view", "like", "unlike", "save", "share", "play"};
    for (int i = 0; i < 300; ++i) {
      OracleEvent event;
      event.id = "e" + std::to_string(sent_);
      event.user = "u" + std::to_string(sent_ % kUsers);
      event.item = "video:" + std::to_string(sent_ * 7 % kItems);
      event.type = kTypes[sent_ * 5 % static_cast<int>(std::size(kTypes))];
      pending_.push_back(event);
      ++sent_;
    }
  }

  // Until the log (or the state) meets the end of the disk, which preallocated space may delay.
  void refused_while_full(HttpClient& http) {
    ASSERT_TRUE(eventually([&] { return send(http) == 503; }, std::chrono::seconds(60)));
    EXPECT_TRUE(eventually([&] { return writable(http) == 0; }));
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(http.get("/v1/items/video:1").status, 200);
      EXPECT_EQ(http.get("/v1/feed/u1").status, 200);
      EXPECT_EQ(http.get("/v1/lists/popular").status, 200);
      EXPECT_EQ(http.get("/health/").status, 200);
      const auto put = http.put("/v1/items/video:99", R"({"title":"Too much"})",
                                {{"Content-Type", "application/json"}});
      EXPECT_EQ(put.status, 503) << put.body;
    }
    EXPECT_FALSE(Answer(http.get("/v1/admin/status"))["writable"].truth());
  }

  // 0 when either the log or the state cannot be written.
  static double writable(HttpClient& http) {
    const auto text = http.get("/metrics").body;
    double least = 1;
    for (const auto* name : {"\nlog_writable ", "\nstate_writable "}) {
      const auto at = text.find(name);
      if (at == std::string::npos) return -1;
      least = std::min(least, std::stod(text.substr(at + std::string_view(name).size())));
    }
    return least;
  }

  void expect_state(HttpClient& http) const {
    const auto applied = [&] {
      const Answer status(http.get("/v1/admin/status"));
      bool all = true;
      for (const auto& partition : status["partitions"].elements()) {
        all = all && partition["end"].number() == partition["applied"].number();
      }
      return all;
    };
    ASSERT_TRUE(eventually(applied, std::chrono::seconds(30)));
    for (const auto& [id, expected] : oracle_.items()) {
      const Answer item(http.get("/v1/items/" + id));
      EXPECT_EQ(item["views"].number(), expected.views) << id;
      EXPECT_EQ(item["shares"].number(), expected.shares) << id;
      EXPECT_EQ(item["plays"].number(), expected.plays) << id;
      EXPECT_EQ(item["likes"].number(), expected.likers.size()) << id;
      EXPECT_EQ(item["saves"].number(), expected.savers.size()) << id;
    }
    for (const auto& [user, events] : oracle_.histories()) {
      const Answer profile(http.get("/v1/users/" + user + "/profile"));
      EXPECT_EQ(profile["events"].number(), events.size()) << user;
    }
  }

  TempDir directory_;
  Oracle oracle_;
  std::vector<OracleEvent> pending_;
  int sent_ = 0;
};

TEST_F(DiskFull, OfTheLog) { run("log"); }
TEST_F(DiskFull, OfTheState) { run("state"); }
TEST_F(DiskFull, OfEverything) { run(""); }

}  // namespace
}  // namespace millrace
