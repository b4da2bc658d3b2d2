#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>

#include "schemas/record.h"
#include "serving/surfaces/base64.h"
#include "serving/surfaces/meta.h"
#include "serving/surfaces/work_thread.h"
#include "state/checkpoint.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

constexpr LogPartition kFirst{Topic::kInteractions, 0};

std::string digests(TestNode& node) {
  const auto reply = node.get("/v1/admin/digest");
  EXPECT_EQ(reply.status(), 200) << reply.body();
  return reply.body();
}

TEST(SurfacesAdmin, StatusSaysWhereEveryPartitionStands) {
  TestNode::Options options;
  options.surface.version = "1.2.3";
  options.surface.memory_budget_bytes = 1 << 20;
  TestNode node(options);
  node.put("movie:1");
  node.event("like", "u", "movie:1");
  const auto status = node.get("/v1/admin/status");
  ASSERT_EQ(status.status(), 200);
  EXPECT_EQ(status.at("version"), "1.2.3");
  EXPECT_EQ(status.at("writable"), "true");
  ASSERT_EQ(status.size("partitions"), 4u);
  EXPECT_EQ(status.at("partitions.0.partition"), "i0");
  EXPECT_EQ(status.at("partitions.3.partition"), "c");
  EXPECT_EQ(status.at("partitions.3.end"), "1");
  EXPECT_EQ(status.at("partitions.3.applied"), "1");
  EXPECT_EQ(status.at("partitions.3.lag"), "0");
  EXPECT_EQ(status.at("memory.budget_bytes"), "1048576");
  EXPECT_GT(status.number("memory.accounted_bytes"), 0);
  EXPECT_GT(status.number("memory.resident_bytes"), 1e6);
  node.log().refuse_appends("disk full");
  EXPECT_EQ(node.get("/v1/admin/status").at("writable"), "false");
  EXPECT_EQ(node.get("/v1/admin/status").at("failure"), "disk full");
}

TEST(SurfacesAdmin, DigestsAreOfTheCurrentPositionAndTheSameAfterARebuild) {
  TestNode node;
  node.put("movie:1");
  const auto before = digests(node);
  for (int i = 0; i < 30; ++i) node.event("like", "u" + std::to_string(i), "movie:1");
  const auto after = digests(node);
  EXPECT_NE(before, after);
  node.restart();
  EXPECT_EQ(digests(node), after);
  node.restart(true);
  EXPECT_EQ(digests(node), after);
  const auto all = node.get("/v1/admin/digest");
  ASSERT_EQ(all.size("digests"), 4u);
  for (int i = 0; i < 4; ++i) {
    const auto at = "digests." + std::to_string(i);
    EXPECT_EQ(all.at(at + ".digest").size(), 32u);
    const auto one = node.get("/v1/admin/digest?partition=" + all.at(at + ".partition") +
                              "&offset=" + all.at(at + ".offset"));
    ASSERT_EQ(one.size("digests"), 1u) << one.body();
    EXPECT_EQ(one.at("digests.0.digest"), all.at(at + ".digest"));
  }
}

TEST(SurfacesAdmin, ADigestThatWasNotKeptIsA404) {
  TestNode node;
  for (int i = 0; i < 5; ++i) node.event("like", "u", "movie:1");
  for (const char* query : {"partition=i0&offset=100000", "partition=c&offset=7"}) {
    EXPECT_EQ(node.get(std::string("/v1/admin/digest?") + query).status(), 404) << query;
  }
  for (const auto& [query, field] :
       std::vector<std::pair<std::string, std::string>>{{"offset=0", "partition"},
                                                        {"partition=i3", "partition"},
                                                        {"partition=x", "partition"},
                                                        {"partition=", "partition"},
                                                        {"partition=c&offset=-1", "offset"}}) {
    const auto reply = node.get("/v1/admin/digest?" + query);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
}

// An event of a type that the rules in force do not have.
std::string strange_event(const std::string& user, const std::string& id) {
  Interaction interaction;
  interaction.event.source = "app";
  interaction.event.id = id;
  interaction.event.user = UserId(user);
  interaction.event.item = ItemId("movie:1");
  interaction.event.time = 1'790'000'000'000;
  interaction.type_number = 9'999;
  return encode(LogRecord{interaction});
}

void wait_for(TestNode& node, LogPartition partition, Offset offset) {
  Position position;
  position.include(partition, offset);
  ASSERT_TRUE(node.engine().publisher().wait_reached(position, 10'000));
}

TEST(SurfacesAdmin, DeadLettersAreListedWithReasonAndBytes) {
  TestNode node;
  node.log().push(kFirst, "garbage");
  wait_for(node, kCatalogPartition, node.log().push(kCatalogPartition, "more garbage"));
  wait_for(node, kFirst, node.log().push(kFirst, strange_event("u", "e1")));
  ASSERT_TRUE(node.engine().commit_all().has_value());
  const auto letters = node.get("/v1/admin/dead-letters");
  ASSERT_EQ(letters.size("items"), 3u) << letters.body();
  EXPECT_EQ(letters.at("items.0.partition"), "i0");
  EXPECT_EQ(letters.at("items.0.record"), serving::base64("garbage"));
  EXPECT_FALSE(letters.at("items.0.reason").empty());
  EXPECT_EQ(letters.find("items.0.event"), nullptr);
  EXPECT_EQ(letters.at("items.1.user"), "u");
  EXPECT_EQ(letters.at("items.1.event.id"), "e1");
  EXPECT_EQ(letters.at("items.1.event.type"), "type.9999");
  EXPECT_EQ(letters.at("items.2.partition"), "c");
  std::vector<std::string> offsets;
  std::string cursor;
  do {
    const auto page =
        node.get("/v1/admin/dead-letters?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.size("items"), 1u);
    offsets.push_back(page.at("items.0.partition") + page.at("items.0.offset"));
    cursor = page.at("next_cursor");
  } while (!cursor.empty());
  EXPECT_EQ(offsets.size(), 3u);
  EXPECT_EQ(node.get("/v1/admin/dead-letters?partition=c").size("items"), 1u);
  EXPECT_EQ(node.get("/v1/admin/dead-letters?partition=i1").size("items"), 0u);
  EXPECT_EQ(node.get("/v1/admin/dead-letters?partition=q").status(), 400);
  EXPECT_EQ(node.get("/v1/admin/dead-letters?cursor=Zm9v").at("field"), "cursor");
}

TEST(SurfacesAdmin, AReplayedLetterCountsOnceWhenTheRulesKnowItsType) {
  TestNode node;
  node.put("movie:1");
  const auto offset = node.log().push(kFirst, strange_event("u", "e1"));
  wait_for(node, kFirst, offset);
  node.log().push(kFirst, "garbage");
  // The operator's next configuration has the type.
  auto ruleset = node.engine().store(0).ruleset();
  ruleset.types.push_back({9'999, "strange"});
  wait_for(node, kFirst, node.log().push(kFirst, encode(LogRecord{ruleset})));
  ASSERT_TRUE(node.engine().commit_all().has_value());
  for (int i = 0; i < 3; ++i) {
    const auto replayed = node.call("POST", "/v1/admin/dead-letters/replay");
    ASSERT_EQ(replayed.status(), 200) << replayed.body();
    EXPECT_EQ(replayed.at("replayed"), "1");
    EXPECT_EQ(replayed.at("skipped"), "1");
    node.get("/v1/items?position=" + replayed.position());
  }
  const auto person = node.engine().store(0).read("u");
  ASSERT_TRUE(person.has_value() && person->person);
  EXPECT_EQ(person->person->events, 1u);
  const auto one = "{\"partition\":\"i0\",\"offset\":" + std::to_string(offset) + "}";
  EXPECT_EQ(node.call("POST", "/v1/admin/dead-letters/replay", one).at("replayed"), "1");
  EXPECT_EQ(node.call("POST", "/v1/admin/dead-letters/replay", R"({"partition":"i0","offset":0})")
                .status(),
            404);
  for (const char* bad : {"[]", R"({"offset":1})", R"({"partition":7})", R"({"other":1})"}) {
    EXPECT_EQ(node.call("POST", "/v1/admin/dead-letters/replay", bad).status(), 400) << bad;
  }
}

TEST(SurfacesAdmin, ACheckpointIsSealedWhenTheAnswerComes) {
  TestNode node;
  node.put("movie:1");
  node.event("like", "u", "movie:1");
  const auto reply = node.call("POST", "/v1/admin/checkpoint");
  ASSERT_EQ(reply.status(), 200) << reply.body();
  EXPECT_TRUE(state::read_manifest(reply.at("path")).has_value());
  EXPECT_GT(reply.number("bytes"), 0);
  EXPECT_NE(reply.at("position").find("c:0"), std::string::npos) << reply.body();
}

TEST(SurfacesAdmin, CheckpointsAskedForAtOnceAreTakenInTurn) {
  TestNode node;
  node.put("movie:1");
  std::vector<std::future<int>> statuses;
  for (int i = 0; i < 4; ++i) {
    statuses.push_back(std::async(std::launch::async, [&node] {
      return node.call("POST", "/v1/admin/checkpoint").status();
    }));
  }
  for (auto& status : statuses) EXPECT_EQ(status.get(), 200);
}

TEST(SurfacesMeta, TellsThatItIsAliveAndReady) {
  TestNode node;
  EXPECT_EQ(node.get("/health/").at("status"), "ok");
  EXPECT_EQ(node.get("/health").status(), 200);
  EXPECT_EQ(node.get("/ready/").at("status"), "ready");
  const auto metrics = node.get("/metrics");
  EXPECT_EQ(metrics.reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(metrics.body().find("# TYPE "), std::string::npos);
}

TEST(SurfacesMeta, IsNotReadyFarBehindItsLog) {
  TestNode node;
  node.stop_applying();
  std::vector<ingest::Append> many(10'100, {kFirst, {}, "x"});
  ASSERT_TRUE(node.log().append_and_wait(std::move(many)).has_value());
  const auto ready = node.get("/ready/");
  EXPECT_EQ(ready.status(), 503);
  EXPECT_NE(ready.at("detail").find("catching up"), std::string::npos);
  EXPECT_EQ(node.get("/health/").status(), 200);
}

TEST(SurfacesMeta, TheDocumentIsTheOneThatWasBuilt) {
  std::ifstream file(std::string(MILLRACE_SOURCE_DIR) + "/schemas/openapi/v1.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  TestNode node;
  const auto reply = node.get("/openapi/v1.yaml");
  EXPECT_EQ(reply.reply.content_type, "application/yaml");
  EXPECT_EQ(reply.body(), text.str());
}

TEST(WorkThread, RefusesWhatIsTooMuchAndTellsJobsLeftBehind) {
  std::promise<void> begun, go;
  std::string told;
  {
    serving::WorkThread thread;
    const auto release = go.get_future().share();
    ASSERT_TRUE(thread.submit(
        [&begun, release](bool) {
          begun.set_value();
          release.wait();
        },
        2));
    begun.get_future().wait();
    ASSERT_TRUE(thread.submit([&told](bool stopping) { told = stopping ? "left" : "run"; }, 2));
    EXPECT_FALSE(thread.submit([](bool) {}, 2));
    go.set_value();
  }
  EXPECT_FALSE(told.empty());
}

TEST(Base64, GoesThereAndBack) {
  EXPECT_EQ(serving::base64("foob"), "Zm9vYg==");
  EXPECT_EQ(serving::base64("\xff\xfe"), "//4=");
  EXPECT_EQ(serving::base64url("\xff\xfe"), "__4");
  for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\x01\x80z"}) {
    EXPECT_EQ(serving::from_base64url(serving::base64url(text)), text);
  }
  for (const char* bad : {"A", "AB=", "A B", "AB", "++++"}) {
    EXPECT_FALSE(serving::from_base64url(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace millrace
