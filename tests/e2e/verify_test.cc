// The verbs that look after a data folder: verify finds what is wrong and where, backups come back,
// erasure stands, and a trimmed log is enough.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "state/checkpoint.h"
#include "state/keys.h"
#include "state/rocks.h"
#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/oracle.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kItems = 12;
constexpr int kUsers = 15;

class Maintained : public testing::Test {
 protected:
  ServerProcess::Options options(std::vector<std::string> args = {}) const {
    args.insert(args.end(), {"--log-level", "warn", "--durability", "os"});
    return {.binary = MILLRACE_BINARY, .data = data(), .args = std::move(args), .environment = {}};
  }
  std::string data() const { return (directory_.path() / "data").string(); }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

  // `count` random events, applied when it returns; the oracle knows them.
  void send(HttpClient& http, int count) {
    static constexpr const char* kTypes[] = {"view", "like", "unlike", "save",  "unsave",  "share",
                                             "rate", "rate", "unrate", "watch", "unwatch", "play"};
    while (count > 0) {
      std::string body;
      for (int i = 0; i < 500 && count > 0; ++i, --count) {
        OracleEvent event;
        event.id = "e" + std::to_string(sent_++);
        event.user = "u" + std::to_string(random_() % kUsers);
        event.item = "video:" + std::to_string(random_() % kItems);
        event.type = kTypes[random_() % std::size(kTypes)];
        event.value = 0.5 * static_cast<double>(1 + random_() % 10);
        body += event.json() + "\n";
        oracle_.apply(event);
      }
      post(http, body);
    }
  }
  // Once, whatever it takes: the same ids again where a checkpoint held up the answer.
  static void post(HttpClient& http, const std::string& body) {
    HttpReply reply;
    ASSERT_TRUE(eventually(
        [&] {
          reply = http.post("/v1/events?wait=applied", body,
                            {{"Content-Type", "application/x-ndjson"}});
          return reply.status != 503;
        },
        std::chrono::seconds(60)));
    ASSERT_EQ(Answer(reply)["rejected"].elements().size(), 0u);
  }
  void put_items(HttpClient& http) {
    for (int i = 0; i < kItems; ++i) {
      const auto reply = http.put("/v1/items/video:" + std::to_string(i), R"({"title":"A video"})",
                                  {{"Content-Type", "application/json"}});
      ASSERT_EQ(reply.status, 201) << reply.body;
    }
  }
  void erase(HttpClient& http, const std::string& user) {
    ASSERT_EQ(http.del("/v1/users/" + user).status, 204);
  }

  static void expect_state(HttpClient& http, const Oracle& oracle) {
    for (const auto& [id, expected] : oracle.items()) {
      const Answer item(http.get("/v1/items/" + id));
      EXPECT_EQ(item["views"].number(), expected.views) << id;
      EXPECT_EQ(item["shares"].number(), expected.shares) << id;
      EXPECT_EQ(item["plays"].number(), expected.plays) << id;
      EXPECT_EQ(item["likes"].number(), expected.likers.size()) << id;
      EXPECT_EQ(item["saves"].number(), expected.savers.size()) << id;
      EXPECT_EQ(item["watch_count"].number(), expected.watchers.size()) << id;
      EXPECT_EQ(item["rating_count"].number(), expected.ratings.size()) << id;
    }
    for (int i = 0; i < kUsers; ++i) {
      const auto user = "u" + std::to_string(i);
      const auto history = oracle.histories().find(user);
      const std::size_t events = history == oracle.histories().end() ? 0 : history->second.size();
      const Answer profile(http.get("/v1/users/" + user + "/profile"));
      EXPECT_EQ(profile["events"].number(), events) << user;
    }
  }

  CommandResult run(std::vector<std::string> args) const {
    args.insert(args.begin(), MILLRACE_BINARY);
    return run_command(args);
  }
  CommandResult verify() const { return run({"verify", "--data", data()}); }
  static std::string url(const ServerProcess& server) {
    return "http://127.0.0.1:" + std::to_string(server.port());
  }

  // One life: `count` events, then an orderly end.
  void live(int count, const std::vector<std::string>& args = {}) {
    ServerProcess server(options(args));
    HttpClient http(server.port());
    if (sent_ == 0) put_items(http);
    send(http, count);
    ASSERT_EQ(server.terminate(), 0) << server.errors();
  }

  TempDir directory_;
  Oracle oracle_;
  std::mt19937 random_{11};
  int sent_ = 0;
};

using Verify = Maintained;
using Backup = Maintained;
using Retention = Maintained;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    out += digits;
  }
  return out;
}

TEST_F(Verify, FindsNothingInWhatIsRight) {
  live(2000);
  const auto result = verify();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find("DIFFERS"), std::string::npos) << result.out;
  const auto json = run({"verify", "--data", data(), "--format", "json"});
  double records = 0;
  for (const auto& partition : Answer(json.out)["partitions"].elements()) {
    EXPECT_TRUE(partition["ok"].truth());
    records += partition["offset"].number();
  }
  EXPECT_GE(records, 2000 + kItems);
}

TEST_F(Verify, HoldsThroughKillsAndOtherSettings) {
  const std::vector<std::vector<std::string>> lives = {
      {"--apply-threads", "1", "--apply-commit-interval", "1ms"},
      {"--apply-threads", "4", "--apply-commit-events", "7", "--memory", "64MiB"},
      {"--apply-threads", "2", "--memory", "1GiB", "--rules-dedupe-ids", "5000"},
      {"--apply-commit-interval", "10s", "--interaction", "view=5", "--rules-history-retention",
       "30d"},
      {}};
  for (const auto& args : lives) {
    ServerProcess server(options(args));
    HttpClient http(server.port());
    if (sent_ == 0) put_items(http);
    send(http, 1500);
    server.kill_now();
  }
  ServerProcess server(options());
  HttpClient http(server.port());
  expect_state(http, oracle_);
  const auto running = run({"verify", "--url", url(server)});
  EXPECT_EQ(running.exit_code, 0) << running.out << running.err;
  send(http, 100);
  EXPECT_EQ(server.terminate(), 0);
  const auto stopped = verify();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.out << stopped.err;
}

// Flips one byte of the first row under `prefix`, behind the server's back: `which` tells its place
// by the row's size. Answers the key.
template <class Choose>
std::string flip(const std::string& folder, std::string_view prefix, Choose which) {
  const state::RocksShared shared({});
  auto db = state::Db::open(folder, shared);
  if (!db) throw std::runtime_error(db.error().detail);
  std::string key;
  std::string value;
  const auto scanned = (*db)->scan(prefix, "", [&](auto k, auto v) {
    key = k;
    value = v;
    return false;
  });
  if (!scanned || value.size() < 16) throw std::runtime_error("no such row");
  auto& byte = value[which(value.size())];
  byte = static_cast<char>(byte ^ 1);
  state::WriteBatch batch;
  batch.put(key, value);
  if (!(*db)->write(batch)) throw std::runtime_error("cannot write");
  return key;
}

TEST_F(Verify, NamesEachRowWhoseByteWasFlipped) {
  live(2000);
  const auto name = state::database_folder({Topic::kInteractions, 2});
  const auto folder = data() + "/state/" + name;
  // Some byte of a person's page still reads as a page, some do not: either way the row is named.
  int readable = 0;
  for (std::size_t i = 1; i <= 8; ++i) {
    const auto which = [i](std::size_t size) { return size - i; };
    const auto key = flip(folder, state::keys::kPeople, which);
    const auto result = verify();
    const auto said = result.out + result.err;
    EXPECT_EQ(result.exit_code, 1) << said;
    EXPECT_NE(said.find(name), std::string::npos) << said;
    if (result.out.find("DIFFERS") != std::string::npos) {
      ++readable;
      EXPECT_NE(result.out.find("DIFFERS " + name + " at "), std::string::npos) << said;
      EXPECT_NE(result.out.find("row " + hex(key) + " differs"), std::string::npos) << said;
      // No other partition is accused.
      EXPECT_EQ(result.out.find("DIFFERS"), result.out.rfind("DIFFERS")) << said;
    }
    ASSERT_EQ(flip(folder, state::keys::kPeople, which), key);  // as it was
  }
  EXPECT_GT(readable, 0);
  EXPECT_EQ(verify().exit_code, 0);
}

TEST_F(Verify, SaysWhichFileIsDamaged) {
  live(2000);
  // What a partition keeps goes into table files when it is copied.
  ASSERT_EQ(run({"backup", path("b"), "--data", data()}).exit_code, 0);
  fs::remove_all(data());
  ASSERT_EQ(run({"restore", path("b"), "--data", data()}).exit_code, 0);
  std::string damaged;
  for (const auto& entry : fs::recursive_directory_iterator(data() + "/state")) {
    if (entry.path().extension() == ".sst" && damaged.empty()) damaged = entry.path().string();
  }
  ASSERT_FALSE(damaged.empty());
  {
    std::fstream file(damaged, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(30);
    const auto byte = static_cast<char>(file.get() ^ 0x20);
    file.seekp(30);
    file.put(byte);
  }
  const auto result = verify();
  EXPECT_NE(result.exit_code, 0) << damaged << "\n" << result.out << result.err;
  EXPECT_LT(result.exit_code, 128) << result.err;
  EXPECT_NE((result.out + result.err).find("millrace verify: "), std::string::npos) << result.err;
}

TEST_F(Verify, OfWhatIsNoDataFolderSaysSo) {
  const auto result = run({"verify", "--data", path("nothing")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find(path("nothing")), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(Backup, OfARunningServerComesBackAsItWas) {
  ServerProcess server(options());
  HttpClient http(server.port());
  put_items(http);
  send(http, 1500);
  const auto backup = run({"backup", path("b"), "--url", url(server)});
  ASSERT_EQ(backup.exit_code, 0) << backup.err;
  const auto then = oracle_;
  send(http, 700);
  ASSERT_EQ(server.terminate(), 0);

  const auto refused = run({"restore", path("b"), "--data", data()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("--replace"), std::string::npos) << refused.err;
  const auto replaced = run({"restore", path("b"), "--data", data(), "--replace"});
  ASSERT_EQ(replaced.exit_code, 0) << replaced.err;
  EXPECT_TRUE(fs::exists(data() + ".replaced-1/log"));
  const auto verified = verify();
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  ServerProcess again(options());
  HttpClient http_again(again.port());
  expect_state(http_again, then);
}

TEST_F(Backup, AnErasedPersonStaysErasedAfterAnOlderOne) {
  {
    ServerProcess server(options());
    HttpClient http(server.port());
    put_items(http);
    send(http, 1000);
    ASSERT_EQ(run({"backup", path("old"), "--url", url(server)}).exit_code, 0);
    erase(http, "u3");
    ASSERT_EQ(server.terminate(), 0);
  }
  const auto replaced = run({"restore", path("old"), "--data", data(), "--replace"});
  ASSERT_EQ(replaced.exit_code, 0) << replaced.err;
  oracle_.erase("u3");
  {
    ServerProcess server(options());
    HttpClient http(server.port());
    expect_state(http, oracle_);
    EXPECT_EQ(Answer(http.get("/v1/users/u3/history"))["items"].elements().size(), 0u);
    ASSERT_EQ(server.terminate(), 0);
  }
  // And a rebuild from the log does not bring them back.
  fs::remove_all(data() + "/state");
  ServerProcess rebuilt(options());
  HttpClient http(rebuilt.port());
  expect_state(http, oracle_);
}

TEST_F(Retention, ATrimmedLogIsEnough) {
  const std::vector<std::string> small = {"--log-segment", "1MiB", "--log-retention-bytes", "2MiB"};
  {
    ServerProcess server(options(small));
    HttpClient http(server.port());
    put_items(http);
    const auto trimmed = [&] {
      send(http, 2000);
      const Answer status(http.get("/v1/admin/status"));
      bool all = true;
      for (const auto& partition : status["partitions"].elements()) {
        const bool catalog = partition["partition"].text() == "c";
        all = all && (catalog || partition["start"].number() > 0);
      }
      return all;
    };
    ASSERT_TRUE(eventually(trimmed, std::chrono::seconds(90)));
    EXPECT_FALSE(state::list_checkpoints(data() + "/checkpoints").empty());
    send(http, 500);
    server.kill_now();
  }
  {
    ServerProcess server(options(small));
    HttpClient http(server.port());
    expect_state(http, oracle_);
    const auto running = run({"verify", "--url", url(server)});
    EXPECT_EQ(running.exit_code, 0) << running.out << running.err;
    send(http, 300);
    ASSERT_EQ(server.terminate(), 0);
  }
  const auto stopped = verify();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.out << stopped.err;

  // Without its state the log alone is not enough, and the server does not pretend it were.
  fs::rename(data() + "/state", path("state-aside"));
  ServerProcess refused(options(small), true);
  EXPECT_EQ(refused.port(), 0);
  EXPECT_TRUE(eventually([&] { return !refused.alive(); }));
  EXPECT_NE(refused.errors().find("the log starts at"), std::string::npos) << refused.errors();
}

}  // namespace
}  // namespace millrace
