#include "serving/http/encoding.h"

#include <gtest/gtest.h>

namespace millrace::serving {
namespace {

TEST(AcceptEncoding, RespectsWeights) {
  for (const char* yes : {"gzip", "deflate, gzip;q=0.5", "GZIP", "*", "br;q=1, *;q=0.1", "x-gzip",
                          "gzip;q=1.000", "gzip ; q=0.001, identity;q=0"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000, *", "br", "*;q=0",
                         "gzip;q=0.2, identity;q=0.8", ",,;q=1"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

TEST(Compressible, TextOnly) {
  for (const char* yes :
       {"application/json", "application/problem+json", "text/html; charset=utf-8",
        "application/atom+xml", "image/svg+xml", "application/javascript"}) {
    EXPECT_TRUE(is_compressible(yes)) << yes;
  }
  for (const char* no :
       {"image/png", "video/mp4", "application/gzip", "", "application/octet-stream"}) {
    EXPECT_FALSE(is_compressible(no)) << no;
  }
}

TEST(ETag, ComparesWeakly) {
  EXPECT_TRUE(etag_matches("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("W/\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("\"a\"", "W/\"a\""));
  EXPECT_TRUE(etag_matches("\"x,y\", W/\"a\" ,\"b\"", "\"a\""));
  EXPECT_TRUE(etag_matches("\"x,y\"", "\"x,y\""));
  EXPECT_TRUE(etag_matches(" * ", "\"a\""));
  EXPECT_FALSE(etag_matches("\"ab\"", "\"a\""));
  EXPECT_FALSE(etag_matches("a", "\"a\""));
  EXPECT_FALSE(etag_matches("\"a", "\"a\""));
  EXPECT_FALSE(etag_matches("", "\"a\""));
}

TEST(Gzip, BackAndForth) {
  Gzipper gzipper(1);
  for (const std::string& text : {std::string(), std::string("short"), std::string(200'000, 'x')}) {
    const std::string packed = gzipper.compress(text);
    EXPECT_EQ(gunzip(packed, 200'000).value(), text);
  }
  EXPECT_LT(gzipper.compress(std::string(200'000, 'x')).size(), 2'000U);
}

TEST(Gunzip, ReadsSeveralMembers) {
  Gzipper gzipper(3);
  EXPECT_EQ(gunzip(gzipper.compress("one ") + gzipper.compress("two"), 100).value(), "one two");
}

TEST(Gunzip, IsBounded) {
  Gzipper gzipper(1);
  const std::string packed = gzipper.compress(std::string(1'000'000, 'x'));
  EXPECT_EQ(gunzip(packed, 1'000'000).value().size(), 1'000'000U);
  EXPECT_EQ(gunzip(packed, 999'999).error().code, Code::kTooLarge);
}

TEST(Gunzip, RefusesWhatIsNoGzip) {
  Gzipper gzipper(1);
  const std::string packed = gzipper.compress("some text to be cut");
  EXPECT_EQ(gunzip(packed.substr(0, packed.size() - 3), 100).error().code, Code::kInvalid);
  EXPECT_EQ(gunzip(packed + "rest", 100).error().code, Code::kInvalid);
  EXPECT_EQ(gunzip("{}", 100).error().code, Code::kInvalid);
  EXPECT_EQ(gunzip("", 100).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace millrace::serving
