#include "schemas/item_json.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string printed(const Item& item) {
  std::string out;
  JsonWriter writer(out);
  append_item_json(writer, item);
  return out;
}

std::string field_refused(std::string_view members) {
  const auto item = parse_item("{\"id\":\"movie:1\"," + std::string(members) + "}", std::nullopt);
  return item.has_value() ? "" : item.error().field;
}

std::string price_of_item(std::string_view price) {
  const auto item = parse_item("{\"id\":\"a\",\"price\":" + std::string(price) + "}", std::nullopt);
  return item.has_value() ? item->price : "refused: " + item.error().field;
}

TEST(ParseItem, ReadsEveryMember) {
  const auto item =
      parse_item(R"({"id":"movie:1","title":"Heat","categories":["Crime","Drama","Crime"],
      "tags":["la"],"price":10,"created":"1995-12-15T00:00:00Z","published":1000,"hidden":true,"parent":"set:1",
      "attributes":{"year":1995,"cast":["Al","Bob"]},"runtime":170.50,"views":9,"note":null})",
                 std::nullopt);
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->id, ItemId("movie:1"));
  EXPECT_EQ(item->kind, "movie");
  EXPECT_EQ(item->title, "Heat");
  EXPECT_EQ(item->categories, (std::vector<std::string>{"Crime", "Drama"}));
  EXPECT_EQ(item->tags, std::vector<std::string>{"la"});
  EXPECT_EQ(item->price, "10.00");
  EXPECT_EQ(item->created, 818'985'600'000);
  EXPECT_EQ(item->published, 1'000);
  EXPECT_TRUE(item->hidden);
  EXPECT_EQ(item->parent, ItemId("set:1"));
  EXPECT_EQ(item->attributes, R"({"year":1995,"cast":["Al","Bob"],"runtime":170.50,"note":null})");
  EXPECT_EQ(parse_item(printed(*item), std::nullopt), *item);
}

TEST(ParseItem, TheIdMayComeFromThePath) {
  EXPECT_EQ(parse_item("{}", ItemId("video:7"))->kind, "video");
  EXPECT_EQ(parse_item(R"({"id":"video:7"})", ItemId("video:7"))->id, ItemId("video:7"));
  EXPECT_EQ(parse_item(R"({"id":"video:8"})", ItemId("video:7")).error().field, "id");
  EXPECT_EQ(parse_item("{}", std::nullopt).error().field, "id");
  EXPECT_EQ(parse_item("{}", ItemId("a\nb")).error().field, "id");
  EXPECT_EQ(parse_item(R"({"id":12})", std::nullopt)->id, ItemId("12"));
}

TEST(ParseItem, TheKindIsWhatTheIdSays) {
  EXPECT_EQ(parse_item(R"({"id":"plain"})", std::nullopt)->kind, "content");
  EXPECT_EQ(parse_item(R"({"id":"Not A Kind:1"})", std::nullopt)->kind, "content");
  EXPECT_EQ(parse_item(R"({"id":"video:1","kind":"short"})", std::nullopt)->kind, "short");
}

TEST(ParseItem, GenresAreCategories) {
  const std::vector<std::string> drama = {"Drama"};
  EXPECT_EQ(parse_item(R"({"id":"a","genres":["Drama"]})", std::nullopt)->categories, drama);
  EXPECT_EQ(
      parse_item(R"({"id":"a","categories":["Drama"],"genres":["x"]})", std::nullopt)->categories,
      drama);
}

TEST(ParseItem, PricesHaveOneForm) {
  EXPECT_EQ(price_of_item("5"), "5.00");
  EXPECT_EQ(price_of_item("\"10.00\""), "10.00");
  EXPECT_EQ(price_of_item("0.07"), "0.07");
  EXPECT_EQ(price_of_item("\"199.9\""), "199.90");
  EXPECT_EQ(price_of_item("999999999999.99"), "999999999999.99");
  EXPECT_EQ(price_of_item("null"), "");
  for (const auto* bad :
       {"-0.01", "1.001", "1e12", "\"\"", "\"five\"", "true", "\"nan\"", "\" 5\""}) {
    EXPECT_EQ(price_of_item(bad), "refused: price") << bad;
  }
}

TEST(ParseItem, MembersObeyTheirRules) {
  EXPECT_EQ(field_refused(R"("kind":"Movie")"), "kind");
  EXPECT_EQ(field_refused(R"("title":7)"), "title");
  EXPECT_EQ(field_refused(R"("title":")" + std::string(1025, 'x') + "\""), "title");
  EXPECT_EQ(field_refused(R"("categories":"Drama")"), "categories");
  EXPECT_EQ(field_refused(R"("tags":["a",""])"), "tags[1]");
  EXPECT_EQ(field_refused(R"("tags":["a",2])"), "tags[1]");
  EXPECT_EQ(field_refused(R"("created":"yesterday")"), "created");
  EXPECT_EQ(field_refused(R"("published":-1)"), "published");
  EXPECT_EQ(field_refused(R"("hidden":"yes")"), "hidden");
  EXPECT_EQ(field_refused(R"("parent":[])"), "parent");
  EXPECT_EQ(field_refused(R"("attributes":[])"), "attributes");
  EXPECT_EQ(field_refused(R"("blob":")" + std::string(20'000, 'x') + "\""), "attributes");
  std::string many = R"("tags":["t0")";
  for (int i = 1; i < 257; ++i) many += ",\"t" + std::to_string(i) + "\"";
  EXPECT_EQ(field_refused(many + "]"), "tags");
}

TEST(ParseItems, TakesListsAndLines) {
  const auto check = [](std::string_view body, BodyKind kind) {
    const auto items = parse_items(body, kind);
    ASSERT_TRUE(items.has_value()) << body;
    ASSERT_EQ(items->size(), 3U) << body;
    EXPECT_EQ((*items)[0].item->id, ItemId("a"));
    EXPECT_EQ((*items)[1].id, "b");
    EXPECT_EQ((*items)[1].item.error().field, "title");
    EXPECT_FALSE((*items)[2].item.has_value());
  };
  check(R"([{"id":"a"},{"id":"b","title":1},7])", BodyKind::kJson);
  check(R"({"items":[{"id":"a"},{"id":"b","title":1},[]]})", BodyKind::kJson);
  check("{\"id\":\"a\"}\n{\"id\":\"b\",\"title\":1}\n\n{", BodyKind::kNdjson);
  EXPECT_EQ(parse_items(R"({"id":"a"})", BodyKind::kJson)->size(), 1U);
  EXPECT_EQ(parse_items("[", BodyKind::kJson).error().field, "body");
  EXPECT_EQ(parse_items("7", BodyKind::kJson).error().field, "body");
  EXPECT_EQ(parse_items("[{},{}]", BodyKind::kJson, 1).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace millrace
