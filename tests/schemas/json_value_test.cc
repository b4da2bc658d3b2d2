#include "schemas/json_value.h"

#include <gtest/gtest.h>

#include "schemas/json_grammar.h"

namespace millrace {
namespace {

TEST(ParseJson, BuildsTheTree) {
  const auto json =
      parse_json(R"( {"a": [1, -2.50e3, "x\u00e9\ud83c\udfac\n\/", {}], "b": null, "a2": true} )");
  ASSERT_TRUE(json.has_value());
  const Json& list = *json->find("a");
  ASSERT_EQ(list.elements.size(), 4U);
  EXPECT_EQ(list.elements[1].text, "-2.50e3");
  EXPECT_EQ(list.elements[2].text, "xé🎬\n/");
  EXPECT_EQ(list.elements[3].kind, JsonKind::kObject);
  EXPECT_EQ(json->find("b")->kind, JsonKind::kNull);
  EXPECT_EQ(json->find("a2")->text, "true");
  EXPECT_EQ(json->find("c"), nullptr);
}

TEST(ParseJson, OfARepeatedNameTheLastCounts) {
  const auto json = parse_json(R"({"a":1,"b":2,"a":3})");
  ASSERT_EQ(json->members.size(), 2U);
  EXPECT_EQ(json->find("a")->text, "3");
}

TEST(ParseJson, HalfASurrogatePairIsReplaced) {
  EXPECT_EQ(parse_json(R"("\ud800x\udc00\ud800\u0041")")->text, "\uFFFDx\uFFFD\uFFFD\u0041");
}

TEST(ParseJson, RefusesWhatIsNone) {
  EXPECT_EQ(parse_json("[1,").error().code, Code::kInvalid);
  EXPECT_EQ(parse_json("\"\xff\"").error().code, Code::kInvalid);
}

TEST(AppendJson, PrintsWhatWasRead) {
  std::string out;
  JsonWriter writer(out);
  append_json(writer, *parse_json(R"({"a":[1.0, "\u0041"], "b":{"c":null}, "d":false})"));
  EXPECT_EQ(out, R"({"a":[1.0,"A"],"b":{"c":null},"d":false})");
}

TEST(MinifyJson, KeepsSpellings) {
  EXPECT_EQ(minify_json(" { \"a\" : [ 1.00 , \"x \\u0041\" ] , \"b\" : { } } "),
            R"({"a":[1.00,"x \u0041"],"b":{}})");
  const std::string deepest(kMaxJsonDepth, '[');
  EXPECT_TRUE(check_json(deepest + std::string(kMaxJsonDepth, ']')).has_value());
  EXPECT_FALSE(check_json("[" + deepest + std::string(kMaxJsonDepth + 1, ']')).has_value());
}

}  // namespace
}  // namespace millrace
