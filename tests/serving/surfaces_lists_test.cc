#include <gtest/gtest.h>

#include "serving/surfaces/body_memo.h"
#include "serving/surfaces/list_feeds.h"
#include "tests/support/test_node.h"
#include "tests/support/xml.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

TEST(SurfacesLists, EachIsInItsOrder) {
  TestNode node;
  node.put("movie:1", R"("genres":["Action"],"published":"2020-01-01T00:00:00Z")");
  node.put("movie:2", R"("genres":["Comedy"],"published":"2022-01-01T00:00:00Z")");
  node.put("book:3", R"("genres":["Comedy"],"published":"2021-01-01T00:00:00Z")");
  node.event("rate", "u1", "movie:1", "\"value\":5");
  node.event("rate", "u1", "movie:2", "\"value\":3");
  node.event("rate", "u1", "book:3", "\"value\":2");
  for (const char* user : {"u2", "u3", "u4"}) node.event("watch", user, "movie:2");
  EXPECT_EQ(node.get("/v1/lists/popular").ids(), (Ids{"movie:1", "movie:2", "book:3"}));
  EXPECT_EQ(node.get("/v1/lists/top-rated").ids(), (Ids{"movie:1", "movie:2"}));
  EXPECT_EQ(node.get("/v1/lists/most-watched").ids().front(), "movie:2");
  EXPECT_EQ(node.get("/v1/lists/recent").ids(), (Ids{"movie:2", "book:3", "movie:1"}));
  EXPECT_EQ(node.get("/v1/lists/recent?kind=book").ids(), Ids{"book:3"});
  EXPECT_EQ(node.get("/v1/lists/recent?category=Comedy").ids(), (Ids{"movie:2", "book:3"}));
  EXPECT_EQ(node.get("/v1/lists/trending").status(), 200);
  EXPECT_EQ(node.get("/v1/lists/rising").status(), 200);
  const auto popular = node.get("/v1/lists/popular");
  EXPECT_EQ(popular.at("list"), "popular");
  EXPECT_NEAR(popular.number("items.0.score"), 5 * 0.7 + 0.3, 1e-9);
  EXPECT_EQ(popular.number("items.1.watch_count"), 4);
  EXPECT_EQ(node.get("/v1/lists/best").status(), 404);
  EXPECT_EQ(node.get("/v1/lists/best.atom").status(), 404);
  EXPECT_EQ(node.get("/v1/lists/popular?limit=0").at("field"), "limit");
  EXPECT_EQ(node.get("/v1/lists/popular?cursor=x").at("field"), "cursor");
}

TEST(SurfacesLists, PagesContinueWhereTheLastOneEnded) {
  TestNode node;
  for (int i = 1; i <= 7; ++i) node.put("movie:" + std::to_string(i));
  const auto first = node.get("/v1/lists/recent?limit=3");
  const auto second = node.get("/v1/lists/recent?limit=3&cursor=" + first.at("next_cursor"));
  const auto third = node.get("/v1/lists/recent?limit=3&cursor=" + second.at("next_cursor"));
  Ids all = first.ids();
  for (const auto& page : {second, third}) {
    for (const auto& id : page.ids()) all.push_back(id);
  }
  EXPECT_EQ(all, node.get("/v1/lists/recent").ids());
  EXPECT_EQ(third.find("next_cursor"), nullptr);
}

TEST(SurfacesLists, TheEntityTagChangesWithTheAnswerAndOnlyThen) {
  TestNode node;
  node.put("movie:1");
  node.event("view", "u", "movie:1");
  const auto tag = [&](const std::string& target) { return node.get(target).header("ETag"); };
  const auto before = tag("/v1/lists/popular");
  EXPECT_EQ(before.size(), 34u);
  EXPECT_EQ(before.front(), '"');
  EXPECT_EQ(before, tag("/v1/lists/popular"));
  EXPECT_NE(before, tag("/v1/lists/popular?limit=1&kind=book"));
  EXPECT_NE(before, tag("/v1/lists/popular.atom"));
  node.event("save", "u", "movie:2");  // of an item that no list shows
  EXPECT_EQ(before, tag("/v1/lists/popular"));
  node.event("save", "u", "movie:1");
  EXPECT_NE(before, tag("/v1/lists/popular"));
  EXPECT_EQ(node.get("/v1/lists/popular").header("Cache-Control"), "public, max-age=1");
}

TEST(SurfacesLists, AnAnswerIsNeverOlderThanThePositionAskedFor) {
  TestNode node;
  node.put("movie:1");
  for (int i = 1; i <= 50; ++i) {
    const auto sent =
        node.call("POST", "/v1/events", R"({"type":"view","data":{"user":"u","item":"movie:1"}})");
    const auto list = node.get("/v1/lists/recent", {{"x-millrace-position", sent.position()}});
    ASSERT_EQ(list.number("items.0.views"), i);
  }
  node.put("movie:1", R"("title":"New name")");
  EXPECT_EQ(node.get("/v1/lists/recent").at("items.0.title"), "New name");
}

TEST(SurfacesLists, TrendsDecayInAListInWhichNothingHappens) {
  TestNode node;
  node.put("movie:1");
  node.event("like", "u", "movie:1");
  const auto before = node.get("/v1/lists/trending").number("items.0.score");
  node.clock().advance(6LL * 3600 * 1000);
  EXPECT_NEAR(node.get("/v1/lists/trending").number("items.0.score"), before / 2, before / 100);
}

TEST(SurfacesLists, JsonFeedsAreForFeedReaders) {
  TestNode::Options options;
  options.surface.public_url = "https://example.org";
  TestNode node(options);
  node.put("movie:1", R"("title":"Toy \"Story\"","tags":["pixar"],"genres":["Comedy"])");
  const auto feed = node.get("/v1/lists/popular.json-feed?kind=movie");
  ASSERT_EQ(feed.status(), 200);
  EXPECT_EQ(feed.reply.content_type, "application/feed+json");
  EXPECT_EQ(feed.at("version"), "https://jsonfeed.org/version/1.1");
  EXPECT_EQ(feed.at("feed_url"), "https://example.org/v1/lists/popular.json-feed?kind=movie");
  EXPECT_EQ(feed.at("home_page_url"), "https://example.org/v1/lists/popular?kind=movie");
  EXPECT_EQ(feed.at("items.0.id"), "urn:millrace:item:movie%3A1");
  EXPECT_EQ(feed.at("items.0.url"), "https://example.org/v1/items/movie%3A1");
  EXPECT_EQ(feed.at("items.0.title"), "Toy \"Story\"");
  EXPECT_EQ(feed.at("items.0.content_text"), "movie: Comedy");
  EXPECT_EQ(feed.at("items.0.date_published"), "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(feed.at("items.0.tags.0"), "pixar");
}

TEST(SurfacesLists, AtomIsWellFormedWhateverTheTitles) {
  TestNode node;
  node.put("movie:1", R"("title":"<Tom> & \"Jerry\" ' ]]>","genres":["A&B"])");
  node.put("a b&c", R"("title":"","published":"2020-01-01T00:00:00Z")");
  const auto feed = node.get("/v1/lists/recent.atom");
  ASSERT_EQ(feed.status(), 200);
  EXPECT_EQ(feed.reply.content_type, "application/atom+xml");
  const auto xml = parse_xml(feed.body());
  ASSERT_TRUE(xml.has_value()) << feed.body();
  EXPECT_EQ(xml->name, "feed");
  EXPECT_EQ(xml->attribute("xmlns"), "http://www.w3.org/2005/Atom");
  EXPECT_EQ(xml->text_of("updated"), "2026-09-21T14:13:20.000Z");
  EXPECT_FALSE(xml->text_of("id").empty());
  EXPECT_EQ(xml->text_of("title"), "Recent");
  const auto entries = xml->all("entry");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0]->text_of("title"), "<Tom> & \"Jerry\" ' ]]>");
  EXPECT_EQ(entries[0]->text_of("id"), "urn:millrace:item:movie%3A1");
  EXPECT_EQ(entries[0]->all("category")[0]->attribute("term"), "A&B");
  EXPECT_EQ(entries[1]->text_of("title"), "a b&c");
  EXPECT_EQ(entries[1]->text_of("updated"), "2020-01-01T00:00:00.000Z");
  EXPECT_EQ(entries[1]->all("link")[0]->attribute("href"), "/v1/items/a%20b%26c");
  EXPECT_TRUE(parse_xml(node.get("/v1/lists/rising.atom").body()).has_value());
}

TEST(BodyMemo, RendersOnceAVersionAndForgetsWhenFull) {
  serving::BodyMemo memo(8 * 2'000, nullptr);
  int rendered = 0;
  const auto render = [&]() -> std::optional<serving::Rendered> {
    return serving::Rendered{std::string(500, 'b') + std::to_string(++rendered), "\"t\""};
  };
  const auto get = [&](const std::string& key, std::uint64_t version) {
    return memo.get(key, version, render)->body.substr(500);
  };
  EXPECT_EQ(get("a", 1), "1");
  EXPECT_EQ(get("a", 1), "1");
  EXPECT_EQ(get("a", 2), "2");
  EXPECT_EQ(get("a", 1), "3");  // one who read the version earlier
  EXPECT_EQ(get("a", 2), "2");
  for (int i = 0; i < 100; ++i) get("key" + std::to_string(i), 2);
  EXPECT_EQ(rendered, 103);
  const auto nothing = []() -> std::optional<serving::Rendered> { return std::nullopt; };
  EXPECT_EQ(memo.get("z", 1, nothing), nullptr);
}

}  // namespace
}  // namespace millrace
