#include <gtest/gtest.h>

#include <string>

#include "serving/http/encoding.h"
#include "serving/surfaces/docs.h"
#include "serving/surfaces/openapi.h"
#include "tests/serving/pages_world.h"

namespace millrace::serving {
namespace {

class Docs : public PagesWorld {
 protected:
  Docs() : PagesWorld(docs_routes({})) {}
};

TEST_F(Docs, PagesTakeNothingFromOtherHosts) {
  for (const char* path : {"/api/docs/swagger/", "/api/docs/redoc/"}) {
    const auto page = get(path);
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    EXPECT_TRUE(header(page, "Content-Security-Policy").starts_with("default-src 'none'; "));
    EXPECT_EQ(page.body.find("://"), std::string::npos) << page.body;
  }
}

TEST_F(Docs, FilesAreKeptForGoodUnderTheirVersionAndReadableWithoutGzip) {
  if (swagger_ui_js().empty()) GTEST_SKIP() << "built where no npm registry was in reach";
  const auto path = asset(get("/api/docs/swagger/"), "swagger-ui.js");
  ASSERT_FALSE(path.empty());
  const auto zipped = get(path, "gzip");
  EXPECT_EQ(header(zipped, "Content-Encoding"), "gzip");
  EXPECT_NE(header(zipped, "Cache-Control").find("immutable"), std::string::npos);
  const auto plain = get(path);
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  EXPECT_EQ(plain.body, gunzip(zipped.body, 16 << 20).value());
  EXPECT_NE(plain.body.find("SwaggerUIBundle"), std::string::npos);
  EXPECT_EQ(get("/api/docs/assets/0123/swagger-ui.js").status, 404);
  EXPECT_EQ(get(path + ".map").status, 404);
}

TEST_F(Docs, RedocShowsOneSurfaceOrAll) {
  if (redoc_js().empty()) GTEST_SKIP() << "built where no npm registry was in reach";
  const std::string all = "spec-url=\"/openapi.yaml\"";
  EXPECT_NE(get("/api/docs/redoc/").body.find(all), std::string::npos);
  const auto movies = get("/api/docs/redoc/?document=movies").body;
  EXPECT_NE(movies.find("spec-url=\"/openapi/movies.yaml\""), std::string::npos);
  const auto unknown = get("/api/docs/redoc/?document=nonsense");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_NE(unknown.body.find("\"field\":\"document\""), std::string::npos);
}

TEST(MergedOpenApi, KeepsComponentsOfOneNameApart) {
  const std::string first =
      "openapi: 3.1.0\ninfo:\n  title: One\n  description: |\n    Of one.\nservers:\n  - {url: /}\n"
      "tags:\n  - {name: a}\n\npaths:\n  /a:\n    x: {$ref: \"#/components/schemas/Id\"}\n\n"
      "components:\n  securitySchemes:\n    bearer: {}\n\n  schemas:\n    Id: {type: integer}\n";
  const std::string second =
      "openapi: 3.1.0\ninfo:\n  title: \"Two: 2\"\n  description: |\n    Of two.\nservers:\n"
      "  - {url: /}\ntags:\n  - {name: b}\n\npaths:\n  /b:\n"
      "    y: {$ref: \"#/components/schemas/Id\"}\n"
      "    z: {$ref: \"one.yaml#/components/schemas/Id\"}\n\n"
      "components:\n  securitySchemes:\n    bearer: {}\n  schemas:\n    Id:\n      type: string\n";
  EXPECT_EQ(
      merged_openapi({{"one", first}, {"two", second}}),
      "openapi: 3.1.0\ninfo:\n  title: One\n  description: |\n    Of one.\n\n    ## Two: 2\n\n"
      "    Of two.\nservers:\n  - {url: /}\ntags:\n  - {name: a}\n\n  - {name: b}\n\npaths:\n"
      "  /a:\n    x: {$ref: \"#/components/schemas/one.Id\"}\n\n"
      "  /b:\n    y: {$ref: \"#/components/schemas/two.Id\"}\n"
      "    z: {$ref: \"#/components/schemas/one.Id\"}\n\n"
      "components:\n  schemas:\n    one.Id: {type: integer}\n    two.Id:\n      type: string\n"
      "  securitySchemes:\n    bearer: {}\n");
}

}  // namespace
}  // namespace millrace::serving
