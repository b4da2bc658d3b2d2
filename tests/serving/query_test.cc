#include "serving/http/query.h"

#include <gtest/gtest.h>

namespace millrace::serving {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(PercentDecode, UndoesEscapes) {
  EXPECT_EQ(percent_decode("movie%3A1%2f2", Plus::kIsPlus).value(), "movie:1/2");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::kIsPlus).value(), "a+b+");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::kIsSpace).value(), "a b+");
  EXPECT_EQ(percent_decode("h%C3%A9", Plus::kIsPlus).value(), "h\u00e9");
}

TEST(PercentDecode, RefusesWhatIsNoText) {
  for (const char* bad : {"%", "%1", "%zz", "%4", "a%2", "%00", "%ff", "%C3", "%ED%A0%80"}) {
    EXPECT_FALSE(percent_decode(bad, Plus::kIsPlus).has_value()) << bad;
  }
}

TEST(ParseQuery, KeepsOrderAndRepeats) {
  EXPECT_EQ(parse_query("a=1&b=x+y%26z&a=2").value(),
            (Pairs{{"a", "1"}, {"b", "x y&z"}, {"a", "2"}}));
  EXPECT_EQ(parse_query("").value(), Pairs{});
  EXPECT_EQ(parse_query("&&flag&=v&e=&k=a=b&").value(),
            (Pairs{{"flag", ""}, {"", "v"}, {"e", ""}, {"k", "a=b"}}));
}

TEST(ParseQuery, NamesTheBadParameter) {
  const auto bad = parse_query("good=1&limit=%zz");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, Code::kInvalid);
  EXPECT_EQ(bad.error().field, "limit");
}

TEST(ParseQuery, BoundsThePairs) {
  std::string query = "a";
  for (std::size_t i = 1; i < kMaxQueryPairs; ++i) query += "&a";
  EXPECT_EQ(parse_query(query).value().size(), kMaxQueryPairs);
  EXPECT_FALSE(parse_query(query + "&a").has_value());
}

TEST(SplitTarget, TakesTheFormsOfRfc9112) {
  struct Case {
    const char* target;
    const char* path;
    const char* query;
  };
  for (const Case& c : {Case{"/a/b?x=1?2", "/a/b", "x=1?2"}, Case{"/", "/", ""},
                        Case{"http://host:80/a?b", "/a", "b"}, Case{"HTTP://host", "/", ""},
                        Case{"https://host?q", "/", "q"}, Case{"*", "*", ""}}) {
    const auto parts = split_target(c.target);
    ASSERT_TRUE(parts.has_value()) << c.target;
    EXPECT_EQ(parts->path, c.path);
    EXPECT_EQ(parts->query, c.query);
  }
  for (const char* bad : {"", "a", "host:80", "http:///a", "/a#b", "ftp://host/a", "?a"}) {
    EXPECT_FALSE(split_target(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace millrace::serving
