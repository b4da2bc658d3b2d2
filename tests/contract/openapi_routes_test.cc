#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "serving/surfaces/list.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

// An operation as the document has it.
struct Operation {
  bool secured = false;  // shows `security`
  std::set<int> statuses;
};

// "GET /v1/items" -> operation, by the document's indentation: paths at two spaces, methods at
// four, what an operation has at six, statuses at eight.
void read_operations(const std::filesystem::path& document,
                     std::map<std::string, Operation>& found) {
  std::ifstream file(document);
  std::string line, path;
  Operation* at = nullptr;
  bool in_paths = false;
  while (std::getline(file, line)) {
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string::npos) continue;
    const std::string text = line.substr(indent);
    if (indent == 0) in_paths = text == "paths:";
    if (!in_paths) continue;
    if (indent == 2) path = text.substr(0, text.rfind(':'));
    if (indent == 4) {
      std::string method = text.substr(0, text.find(':'));
      for (char& c : method) c = static_cast<char>(std::toupper(c));
      at = nullptr;
      if (method == "PARAMETERS") continue;
      const auto [operation, fresh] = found.try_emplace(method + " " + path);
      EXPECT_TRUE(fresh) << operation->first << " is documented twice";
      at = &operation->second;
    }
    if (at == nullptr) continue;
    if (indent == 6 && text.starts_with("security:")) at->secured = true;
    if (indent == 8 && text.starts_with('"')) at->statuses.insert(std::stoi(text.substr(1, 3)));
  }
}

// Of all documents: there is one a surface.
std::map<std::string, Operation> operations() {
  std::map<std::string, Operation> found;
  const auto folder = std::filesystem::path(MILLRACE_SOURCE_DIR) / "schemas/openapi";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    read_operations(entry.path(), found);
  }
  return found;
}

class OpenApiRoutes : public ::testing::Test {
 protected:
  const std::map<std::string, Operation> document = operations();
  const std::vector<serving::Route> routes = serving::all_routes({});
};

TEST_F(OpenApiRoutes, TheDocumentAndTheRouteTablesNameTheSameOperations) {
  std::set<std::string> documented, routed;
  for (const auto& [operation, rest] : document) documented.insert(operation);
  for (const auto& route : routes) {
    EXPECT_TRUE(routed.insert(route.method + " " + route.pattern).second)
        << route.method << " " << route.pattern << " is routed twice";
  }
  EXPECT_GT(routed.size(), 20u);
  EXPECT_EQ(documented, routed);
}

TEST_F(OpenApiRoutes, WhatIsNotPublicShowsSecurityAndItsAnswers) {
  for (const auto& route : routes) {
    const auto operation = document.find(route.method + " " + route.pattern);
    if (operation == document.end()) continue;  // the test above says so
    const bool always = route.policy == serving::Policy::kAlways;
    const bool open = always || route.policy == serving::Policy::kPublic;
    EXPECT_EQ(operation->second.secured, !open) << operation->first;
    EXPECT_EQ(operation->second.statuses.contains(401), !always) << operation->first;
    EXPECT_TRUE(open || operation->second.statuses.contains(403)) << operation->first;
    for (const int status : {400, 500, 503}) {
      EXPECT_TRUE(operation->second.statuses.contains(status)) << operation->first << status;
    }
  }
}

TEST_F(OpenApiRoutes, EveryRouteCanBeFoundAndIsAnswered) {
  const serving::Router router(routes);
  for (const auto& route : routes) {
    const auto match = router.match(route.method, route.pattern);
    ASSERT_TRUE(match && match->route != nullptr) << route.pattern;
    EXPECT_EQ(match->route->pattern, route.pattern);
    EXPECT_TRUE(route.handler) << route.pattern;
  }
}

}  // namespace
}  // namespace millrace
