#include <gtest/gtest.h>

#include <set>

#include "schemas/catalog_record.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

TEST(SurfacesItems, PutCreatesThenReplaces) {
  TestNode node;
  const auto created =
      node.call("PUT", "/v1/items/movie:1",
                R"({"title":"Toy Story","genres":["Comedy"],"price":5,"color":"red"})");
  ASSERT_EQ(created.status(), 201) << created.body();
  EXPECT_EQ(created.at("id"), "movie:1");
  EXPECT_EQ(created.at("kind"), "movie");
  EXPECT_EQ(created.at("categories.0"), "Comedy");
  EXPECT_EQ(created.at("price"), "5.00");
  EXPECT_EQ(created.at("attributes.color"), "red");
  EXPECT_EQ(created.at("views"), "0");
  ASSERT_FALSE(created.position().empty());
  const auto replaced = node.call("PUT", "/v1/items/movie:1", R"({"title":"Toy Story 2"})");
  EXPECT_EQ(replaced.status(), 200);
  EXPECT_EQ(replaced.at("title"), "Toy Story 2");
  EXPECT_EQ(replaced.size("categories"), 0u);
  EXPECT_EQ(node.get("/v1/items/movie:1").at("title"), "Toy Story 2");
  // What was read can be put back.
  EXPECT_EQ(node.call("PUT", "/v1/items/movie:1", replaced.body()).status(), 200);
  EXPECT_EQ(node.get("/v1/items/movie:1").find("attributes"), nullptr);
}

TEST(SurfacesItems, ErrorsNameTheirField) {
  TestNode node;
  const auto field = [&](const std::string& body) {
    const auto reply = node.call("PUT", "/v1/items/movie:1", body);
    EXPECT_EQ(reply.status(), 400) << body;
    return reply.at("field");
  };
  EXPECT_EQ(field(R"({"id":"movie:2"})"), "id");
  EXPECT_EQ(field(R"({"price":-1})"), "price");
  EXPECT_EQ(field(R"({"kind":"A B"})"), "kind");
  EXPECT_EQ(field("[]"), "body");
  EXPECT_EQ(field("nothing"), "body");
  const auto param = [&](const std::string& query) {
    const auto reply = node.get("/v1/items?" + query);
    EXPECT_EQ(reply.status(), 400) << query;
    return reply.at("field");
  };
  EXPECT_EQ(param("limit=0"), "limit");
  EXPECT_EQ(param("limit=101"), "limit");
  EXPECT_EQ(param("limit=x"), "limit");
  EXPECT_EQ(param("kind=A%20B"), "kind");
  EXPECT_EQ(param("category="), "category");
  EXPECT_EQ(param("tag=" + std::string(129, 't')), "tag");
  EXPECT_EQ(param("cursor=!!"), "cursor");
  EXPECT_EQ(param("cursor=Zm9v"), "cursor");
  EXPECT_EQ(node.get("/v1/items/" + std::string(257, 'x')).at("field"), "id");
}

TEST(SurfacesItems, DeleteSaysWhetherThereWasOne) {
  TestNode node;
  node.put("movie:1");
  EXPECT_EQ(node.call("DELETE", "/v1/items/movie:1").status(), 204);
  EXPECT_EQ(node.get("/v1/items/movie:1").status(), 404);
  EXPECT_EQ(node.call("DELETE", "/v1/items/movie:1").status(), 404);
  EXPECT_EQ(node.get("/v1/items/never%3A1").status(), 404);
}

TEST(SurfacesItems, AParentMustBeThereAndTakesItsChildrenAway) {
  TestNode node;
  const auto child = [&](const std::string& id, const std::string& parent) {
    return node.call("PUT", "/v1/items/" + id, R"({"parent":")" + parent + R"("})");
  };
  EXPECT_EQ(child("video:1", "product:1").status(), 400);
  EXPECT_EQ(child("video:1", "product:1").at("field"), "parent");
  EXPECT_EQ(node.get("/v1/items/video:1").status(), 404);
  node.put("product:1");
  EXPECT_EQ(child("product:1", "product:1").at("field"), "parent");
  EXPECT_EQ(child("video:1", "product:1").at("parent"), "product:1");
  const auto bulk = node.call("POST", "/v1/items",
                              R"([{"id":"video:2","parent":"product:1"},{"id":7,"price":-1},
                                 {"id":"video:3","parent":"none:1"}])");
  EXPECT_EQ(bulk.at("accepted"), "1");
  EXPECT_EQ(bulk.at("created"), "1");
  EXPECT_EQ(bulk.at("replaced"), "0");
  EXPECT_EQ(bulk.at("rejected.0.field"), "price");
  EXPECT_EQ(bulk.at("rejected.1.index"), "2");
  EXPECT_EQ(bulk.at("rejected.1.id"), "video:3");
  EXPECT_EQ(bulk.at("rejected.1.field"), "parent");
  EXPECT_EQ(node.get("/v1/items?kind=video").size("items"), 2u);
  EXPECT_EQ(node.call("DELETE", "/v1/items/product:1").status(), 204);
  EXPECT_EQ(node.get("/v1/items?kind=video").size("items"), 0u);
  EXPECT_EQ(node.get("/v1/items/video:2").status(), 404);
  EXPECT_EQ(node.get("/v1/lists/recent?kind=video").size("items"), 0u);
}

TEST(SurfacesItems, ARepeatedKeyGetsTheFirstOutcome) {
  TestNode node;
  const TestNode::Headers key = {{"idempotency-key", "k"}};
  EXPECT_EQ(node.call("PUT", "/v1/items/movie:1", R"({"title":"A"})", key).status(), 201);
  node.call("PUT", "/v1/items/movie:1", R"({"title":"B"})");
  const auto again = node.call("PUT", "/v1/items/movie:1", R"({"title":"A"})", key);
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(again.at("title"), "B");
  // Elsewhere the key names another command.
  EXPECT_EQ(node.call("PUT", "/v1/items/movie:2", R"({"title":"A"})", key).status(), 201);
  EXPECT_EQ(node.get("/v1/items/movie:2").status(), 200);
  EXPECT_EQ(node.call("DELETE", "/v1/items/movie:2", {}, key).status(), 204);
  EXPECT_EQ(node.call("DELETE", "/v1/items/movie:2", {}, key).status(), 204);
  node.restart();
  EXPECT_EQ(node.call("DELETE", "/v1/items/movie:2", {}, key).status(), 204);
}

TEST(SurfacesItems, NoSuchThingIsSaidOnlyBehindTheCatalogsEnd) {
  TestNode::Options options;
  options.surface.position_wait_ms = 30;
  TestNode node(options);
  EXPECT_EQ(node.get("/v1/items/movie:1").status(), 404);
  node.put("movie:2");
  node.stop_applying();
  node.log().push(kCatalogPartition, encode(CatalogRecord{"c1", Item{.id = ItemId("movie:1"),
                                                                     .kind = "movie",
                                                                     .title = {},
                                                                     .categories = {},
                                                                     .tags = {},
                                                                     .price = {},
                                                                     .created = {},
                                                                     .published = {},
                                                                     .attributes = {}}}));
  EXPECT_EQ(node.get("/v1/items/movie:1").status(), 503);
  EXPECT_EQ(node.get("/v1/items/movie:1/similar").status(), 503);
  EXPECT_EQ(node.get("/v1/items/movie:2").status(), 200);
}

TEST(SurfacesItems, ManyAtOnceEachWithAVerdict) {
  TestNode node;
  node.put("movie:1");
  const auto reply = node.call(
      "POST", "/v1/items",
      R"({"items":[{"id":"movie:1"},{"id":"movie:2"},{"title":"no id"},{"id":"p","price":"x"}]})");
  ASSERT_EQ(reply.status(), 200) << reply.body();
  EXPECT_EQ(reply.at("accepted"), "2");
  EXPECT_EQ(reply.at("created"), "1");
  EXPECT_EQ(reply.at("replaced"), "1");
  ASSERT_EQ(reply.size("rejected"), 2u);
  EXPECT_EQ(reply.at("rejected.0.index"), "2");
  EXPECT_EQ(reply.at("rejected.0.field"), "id");
  EXPECT_EQ(reply.at("rejected.1.id"), "p");
  EXPECT_EQ(reply.at("rejected.1.field"), "price");
  EXPECT_EQ(node.get("/v1/items/movie:2").status(), 200);
  const auto lines = node.call("POST", "/v1/items", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n",
                               {{"content-type", "application/x-ndjson"}});
  EXPECT_EQ(lines.at("created"), "2");
  EXPECT_EQ(node.call("POST", "/v1/items", "[]").at("accepted"), "0");
  EXPECT_EQ(node.call("POST", "/v1/items", "{").status(), 400);
  EXPECT_EQ(node.call("POST", "/v1/items", "x", {{"content-type", "text/csv"}}).status(), 415);
}

TEST(SurfacesItems, CarriesCountsOfPeopleAndOfEvents) {
  TestNode node;
  node.put("movie:1");
  for (const char* user : {"u1", "u2", "u3"}) {
    node.event("view", user, "movie:1");
    node.event("view", user, "movie:1");
    node.event("like", user, "movie:1");
    node.event("share", user, "movie:1");
    node.event("play", user, "movie:1");
  }
  node.event("unlike", "u3", "movie:1");
  node.event("save", "u1", "movie:1");
  node.event("rate", "u1", "movie:1", "\"value\":5");
  node.event("rate", "u2", "movie:1", "\"value\":4");
  const auto item = node.get("/v1/items/movie:1");
  EXPECT_EQ(item.number("views"), 6);
  EXPECT_EQ(item.number("likes"), 2);
  EXPECT_EQ(item.number("shares"), 3);
  EXPECT_EQ(item.number("plays"), 3);
  EXPECT_EQ(item.number("saves"), 1);
  EXPECT_EQ(item.number("rating_count"), 2);
  EXPECT_DOUBLE_EQ(item.number("average_rating"), 4.5);
  EXPECT_EQ(item.number("watch_count"), 2);
  EXPECT_NEAR(item.number("popularity"), 4.5 * 0.7 + 2 * 0.3, 1e-9);
  EXPECT_GT(item.number("trend_score"), 0);
  EXPECT_LT(item.number("trend_score"), 1);
  node.put("movie:2");
  EXPECT_EQ(node.get("/v1/items/movie:2").find("average_rating")->kind, JsonKind::kNull);
}

TEST(SurfacesItems, HiddenOnesAreReadButNotListed) {
  TestNode node;
  node.put("movie:1", R"("title":"Seen")");
  node.put("movie:2", R"("title":"Hidden","hidden":true)");
  for (const char* id : {"movie:1", "movie:2"}) node.event("like", "u", id);
  EXPECT_EQ(node.get("/v1/items/movie:2").at("hidden"), "true");
  EXPECT_EQ(node.get("/v1/items").ids(), Ids{"movie:1"});
  EXPECT_EQ(node.get("/v1/items?q=hidden").ids(), Ids{});
  EXPECT_EQ(node.get("/v1/lists/popular").ids(), Ids{"movie:1"});
  EXPECT_EQ(node.get("/v1/lists/recent").ids(), Ids{"movie:1"});
  EXPECT_EQ(node.get("/v1/feed/someone").ids(), Ids{"movie:1"});
}

TEST(SurfacesItems, SearchesByWordsBestFirst) {
  TestNode node;
  node.put("movie:1", R"("title":"The Story of Toys","tags":["old"])");
  node.put("movie:2", R"("title":"Toy Story 2","genres":["Comedy"])");
  node.put("movie:10", R"("title":"Toy Story","genres":["Comedy"],"tags":["old"])");
  node.put("book:3", R"("title":"Amélie, a story")");
  EXPECT_EQ(node.get("/v1/items?q=toy+story").ids(), (Ids{"movie:10", "movie:2", "movie:1"}));
  EXPECT_EQ(node.get("/v1/items?q=TOY").ids(), (Ids{"movie:2", "movie:10", "movie:1"}));
  EXPECT_EQ(node.get("/v1/items?q=amelie+sto").ids(), Ids{"book:3"});
  EXPECT_EQ(node.get("/v1/items?q=tory").ids(), Ids{});
  EXPECT_EQ(node.get("/v1/items?q=%21").ids(), Ids{});
  EXPECT_EQ(node.get("/v1/items?kind=book").ids(), Ids{"book:3"});
  EXPECT_EQ(node.get("/v1/items?category=Comedy&tag=old").ids(), Ids{"movie:10"});
  EXPECT_EQ(node.get("/v1/items?category=Nothing").ids(), Ids{});
  EXPECT_EQ(node.get("/v1/items").ids(), (Ids{"movie:1", "movie:2", "book:3", "movie:10"}));
}

TEST(SurfacesItems, PagesNeitherRepeatNorSkipAlsoOverARestart) {
  TestNode node;
  std::string all = "[";
  for (int i = 50; i > 0; --i) {
    all += (i < 50 ? "," : "") + std::string("{\"id\":\"movie:") + std::to_string(i) + "\"}";
  }
  ASSERT_EQ(node.call("POST", "/v1/items", all + "]").at("created"), "50");
  Ids seen;
  std::string cursor;
  do {
    const auto page = node.get("/v1/items?limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status(), 200);
    for (const auto& id : page.ids()) seen.push_back(id);
    cursor = page.at("next_cursor");
    if (seen.size() == 14) node.restart();
    if (seen.size() == 21) node.put("movie:1000");
  } while (!cursor.empty());
  ASSERT_EQ(seen.size(), 51u);
  EXPECT_EQ(seen.front(), "movie:1");
  EXPECT_EQ(seen.back(), "movie:1000");
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 51u);
}

}  // namespace
}  // namespace millrace
