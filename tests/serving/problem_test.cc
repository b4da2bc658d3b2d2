#include "serving/http/problem.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::serving {
namespace {

bool has_header(const Reply& reply, const std::string& name, const std::string& value) {
  return std::find(reply.headers.begin(), reply.headers.end(), std::pair(name, value)) !=
         reply.headers.end();
}

TEST(Problem, SaysWhatRuleWasBrokenAndWhere) {
  const Reply reply = problem(Error{Code::kInvalid, "must be \"1\" to 5", "data.value"});
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  EXPECT_EQ(reply.body,
            R"({"type":"urn:millrace:problem:invalid","title":"The request breaks a rule",)"
            R"("detail":"must be \"1\" to 5","field":"data.value","status":400})");
}

TEST(Problem, EveryCodeHasItsStatus) {
  EXPECT_EQ(http_status(Code::kUnauthorized), 401);
  EXPECT_EQ(http_status(Code::kForbidden), 403);
  EXPECT_EQ(http_status(Code::kNotFound), 404);
  EXPECT_EQ(http_status(Code::kConflict), 409);
  EXPECT_EQ(http_status(Code::kTooLarge), 413);
  EXPECT_EQ(http_status(Code::kExhausted), 429);
  EXPECT_EQ(http_status(Code::kUnavailable), 503);
  EXPECT_EQ(http_status(Code::kTimeout), 503);
  for (const Code code : {Code::kCorrupt, Code::kIo, Code::kInternal}) {
    EXPECT_EQ(http_status(code), 500);
  }
}

TEST(Problem, TellsWhenToComeBack) {
  EXPECT_TRUE(has_header(problem(Error{Code::kExhausted, "", ""}), "Retry-After", "1"));
  EXPECT_TRUE(has_header(problem(Error{Code::kUnavailable, "", ""}), "Retry-After", "1"));
  EXPECT_TRUE(has_header(problem(Error{Code::kTimeout, "", ""}), "Retry-After", "1"));
  EXPECT_FALSE(has_header(problem(Error{Code::kInternal, "", ""}), "Retry-After", "1"));
  EXPECT_TRUE(
      has_header(problem(Error{Code::kUnauthorized, "", ""}), "WWW-Authenticate", "Bearer"));
}

TEST(Problem, OfTheProtocol) {
  EXPECT_EQ(problem(431, "").body,
            R"({"type":"about:blank","title":"Request Header Fields Too Large","status":431})");
}

}  // namespace
}  // namespace millrace::serving
