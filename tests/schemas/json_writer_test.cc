#include "schemas/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace millrace {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

std::string number(double value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a", 1);
  json.key("b");
  json.begin_array();
  json.value("x");
  json.begin_object();
  json.end_object();
  json.value(nullptr);
  json.value(true);
  json.end_array();
  json.raw_member("c", R"({"d":[]})");
  json.member("e", std::numeric_limits<std::uint64_t>::max());
  json.member("f", std::numeric_limits<std::int64_t>::min());
  json.end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",{},null,true],"c":{"d":[]},"e":18446744073709551615,)"
                 R"("f":-9223372036854775808})");
}

TEST(JsonWriter, EscapesWhatMustBe) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\b\f/"), R"("a\"b\\c\n\r\t\b\f/")");
  EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(quoted("naïve 漢字 🎬"), "\"naïve 漢字 🎬\"");
}

TEST(JsonWriter, ReplacesInvalidUtf8) {
  EXPECT_EQ(quoted("a\xff"), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(quoted("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // overlong
  EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
  EXPECT_EQ(quoted("\xe6\xbc"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // cut short
  EXPECT_EQ(quoted("\xf4\x90\x80\x80").size(), 2U + 4 * 3);                       // beyond U+10FFFF
}

TEST(JsonWriter, DoublesReadBackTheSame) {
  for (const double value : {0.1, 1e300, -2.5e-7, 1.0 / 3, 123456789.125, 5e-324}) {
    EXPECT_EQ(std::strtod(number(value).c_str(), nullptr), value);
  }
  EXPECT_EQ(number(4), "4");
  EXPECT_EQ(number(0.3), "0.3");
  EXPECT_EQ(number(std::nan("")), "null");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "null");
}

}  // namespace
}  // namespace millrace
