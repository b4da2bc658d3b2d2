#include <gtest/gtest.h>

#include <string>

#include "serving/http/encoding.h"
#include "serving/surfaces/console.h"
#include "tests/serving/pages_world.h"

namespace millrace::serving {
namespace {

class Console : public PagesWorld {
 protected:
  Console() : PagesWorld(console_routes({})) {}
};

TEST_F(Console, ThePageTakesNothingFromOtherHostsAndHoldsNoScript) {
  const auto page = get("/console/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  const auto policy = header(page, "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; ")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(header(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(page.body.find("https://"), std::string::npos) << page.body;
  EXPECT_EQ(page.body.find("<script>"), std::string::npos) << page.body;
}

TEST_F(Console, WithoutItsPackagesItSaysHowToGetThem) {
  if (!console_js().empty()) GTEST_SKIP() << "built where an npm registry was in reach";
  EXPECT_NE(get("/console/").body.find("./dev build"), std::string::npos);
}

TEST_F(Console, FilesAreKeptForGoodUnderTheirVersionAndReadableWithoutGzip) {
  if (console_js().empty()) GTEST_SKIP() << "built where no npm registry was in reach";
  const auto page = get("/console/");
  for (const char* file : {"console.js", "console.css"}) {
    const auto path = asset(page, file);
    ASSERT_TRUE(path.starts_with("/console/assets/")) << page.body;
    const auto zipped = get(path, "gzip");
    EXPECT_EQ(header(zipped, "Content-Encoding"), "gzip");
    EXPECT_NE(header(zipped, "Cache-Control").find("immutable"), std::string::npos);
    EXPECT_EQ(get(path).body, gunzip(zipped.body, 16 << 20).value());
  }
  const auto script = asset(page, "console.js");
  EXPECT_NE(get(script).body.find("hybrid_ensemble"), std::string::npos)
      << "the contract's algorithms are to choose from";
  const auto licenses = script.substr(0, script.rfind('/')) + "/licenses.txt";
  EXPECT_NE(get(licenses).body.find("MIT"), std::string::npos);
  EXPECT_EQ(get("/console/assets/0123/console.js").status, 404);
  EXPECT_EQ(get(script + ".map").status, 404);
}

}  // namespace
}  // namespace millrace::serving
