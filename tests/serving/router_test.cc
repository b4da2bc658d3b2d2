#include "serving/http/router.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace millrace::serving {
namespace {

Route route(const std::string& method, const std::string& pattern) {
  return {method, pattern, Policy::kPublic, [](const Request&) -> Answer { return Reply{}; }};
}

// The pattern that a request is given to; "405 <methods>" or "404" where there is none.
std::string found(const Router& router, const std::string& method, const std::string& path) {
  const auto match = router.match(method, path);
  if (!match) return "400";
  if (match->route != nullptr) return match->route->method + " " + match->route->pattern;
  return match->allow.empty() ? "404" : "405 " + match->allow;
}

Router sample() {
  return Router({route("GET", "/"), route("GET", "/v1/items"), route("POST", "/v1/items"),
                 route("GET", "/v1/items/{id}"), route("PUT", "/v1/items/{id}"),
                 route("GET", "/v1/items/{item}/similar"), route("GET", "/v1/items/search"),
                 route("GET", "/v1/lists/{list}"), route("GET", "/v1/lists/{list}.atom"),
                 route("GET", "/v1/lists/{list}.full.atom"), route("GET", "/health/"),
                 route("GET", "/both"), route("GET", "/both/")});
}

TEST(Router, FindsLiteralsAndParameters) {
  const Router router = sample();
  EXPECT_EQ(found(router, "GET", "/"), "GET /");
  EXPECT_EQ(found(router, "POST", "/v1/items"), "POST /v1/items");
  EXPECT_EQ(found(router, "GET", "/v1/items/search"), "GET /v1/items/search");
  EXPECT_EQ(found(router, "GET", "/v1/items/other"), "GET /v1/items/{id}");
  EXPECT_EQ(found(router, "GET", "/v1/%69tems"), "GET /v1/items");
}

TEST(Router, AParameterTakesOverWhereTheLiteralLeadsNowhere) {
  const Router router = sample();
  EXPECT_EQ(found(router, "GET", "/v1/items/search/similar"), "GET /v1/items/{item}/similar");
  EXPECT_EQ(found(router, "PUT", "/v1/items/search"), "PUT /v1/items/{id}");
}

TEST(Router, GivesParametersDecoded) {
  const Router router = sample();
  const auto match = router.match("GET", "/v1/items/movie%3A1%2F2/similar/");
  ASSERT_TRUE(match && match->route != nullptr);
  EXPECT_EQ(match->params.at("item"), "movie:1/2");
  EXPECT_EQ(match->params.size(), 1U);
  EXPECT_EQ(match->index, 5U);
}

TEST(Router, EndingsWithinASegment) {
  const Router router = sample();
  const auto match = router.match("GET", "/v1/lists/top.rated.atom");
  ASSERT_TRUE(match && match->route != nullptr);
  EXPECT_EQ(match->route->pattern, "/v1/lists/{list}.atom");
  EXPECT_EQ(match->params.at("list"), "top.rated");
  EXPECT_EQ(found(router, "GET", "/v1/lists/a.full.atom"), "GET /v1/lists/{list}.full.atom");
  EXPECT_EQ(found(router, "GET", "/v1/lists/.atom"), "GET /v1/lists/{list}");
}

TEST(Router, LastSlashMakesNoDifferenceUnlessBothAreRoutes) {
  const Router router = sample();
  EXPECT_EQ(found(router, "GET", "/health"), "GET /health/");
  EXPECT_EQ(found(router, "GET", "/v1/items/"), "GET /v1/items");
  EXPECT_EQ(found(router, "GET", "/both"), "GET /both");
  EXPECT_EQ(found(router, "GET", "/both/"), "GET /both/");
}

TEST(Router, HeadIsServedByGet) { EXPECT_EQ(found(sample(), "HEAD", "/health"), "GET /health/"); }

TEST(Router, SaysWhatThePathDoesHave) {
  const Router router = sample();
  EXPECT_EQ(found(router, "DELETE", "/v1/items"), "405 GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(found(router, "DELETE", "/v1/items/search"), "405 GET, HEAD, OPTIONS, PUT");
  EXPECT_EQ(found(router, "GET", "/v1/nothing"), "404");
  EXPECT_EQ(found(router, "GET", "/v1/items//similar"), "404");
  EXPECT_EQ(found(router, "GET", "//"), "404");
  EXPECT_EQ(found(router, "GET", "/v1/items//"), "404");
  EXPECT_EQ(found(router, "GET", "/v1/items/%zz"), "400");
  EXPECT_EQ(found(router, "GET", std::string(5000, '/')), "404");
}

TEST(Router, RefusesToStartWithUnclearRoutes) {
  EXPECT_THROW(Router({route("GET", "/a/{x}"), route("GET", "/a/{y}")}), std::invalid_argument);
  EXPECT_THROW(Router({route("GET", "/a"), route("GET", "/a")}), std::invalid_argument);
  for (const char* bad : {"", "a", "/a//b", "/{}", "/{a", "/a}", "/x{a}", "/{a}{b}", "/}a{"}) {
    EXPECT_THROW(Router({route("GET", bad)}), std::invalid_argument) << bad;
  }
  EXPECT_THROW(Router({Route{"GET", "/a", Policy::kPublic, nullptr}}), std::invalid_argument);
}

}  // namespace
}  // namespace millrace::serving
