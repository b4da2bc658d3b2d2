#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "serving/surfaces/list.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_node.h"

namespace millrace {
namespace {

// An operation as the document has it.
struct Operation {
  bool secured = false;    // shows `security`
  bool described = false;  // has a summary and a description
  std::set<int> statuses;
  std::map<std::string, bool> bodies;  // "200 application/json": has an example
};

// "GET /v1/items" -> operation, by the document's indentation: paths at two spaces, methods at
// four, what an operation has at six, statuses at eight.
void read_operations(const std::filesystem::path& document,
                     std::map<std::string, Operation>& found) {
  std::ifstream file(document);
  std::string line, path, part;
  Operation* at = nullptr;
  bool* body = nullptr;
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
      part.clear();
    }
    if (at == nullptr) continue;
    if (indent == 6 && text.starts_with("security:")) at->secured = true;
    if (indent == 6 && text.starts_with("description:")) at->described = true;
    if (indent == 6) part = text;
    if (indent == 8 && text.starts_with('"')) {
      part = text.substr(1, 3);
      at->statuses.insert(std::stoi(part));
    }
    const std::size_t media = part == "requestBody:" ? 10 : 12;
    if (indent == media && text.ends_with(':') && text.find('/') != std::string::npos) {
      body = &at->bodies.try_emplace(part + " " + text, false).first->second;
    }
    if (indent == media + 2 && text.starts_with("example")) *body = true;
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
  Metrics metrics;
  const std::vector<serving::Route> routes = [this] {
    serving::Deps deps;
    deps.metrics = &metrics;
    return serving::all_routes(deps);
  }();
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

TEST_F(OpenApiRoutes, EveryOperationHasADescriptionAndExamples) {
  std::size_t bodies = 0;
  for (const auto& [name, operation] : document) {
    EXPECT_TRUE(operation.described) << name;
    for (const auto& [body, exemplified] : operation.bodies) {
      EXPECT_TRUE(exemplified) << name << ": " << body;
      ++bodies;
    }
  }
  EXPECT_GT(bodies, 60u);
}

TEST_F(OpenApiRoutes, OneDocumentOfAllHasEveryOperationAndEveryComponentThatItRefersTo) {
  const auto router = serving::Router(routes);
  const auto match = router.match("GET", "/openapi.yaml");
  const auto answer = match->route->handler({});
  const std::string text = std::get<serving::Reply>(answer).body;
  const auto file = TempDir();
  std::ofstream(file.path() / "all.yaml") << text;
  std::map<std::string, Operation> merged;
  read_operations(file.path() / "all.yaml", merged);
  EXPECT_EQ(merged.size(), document.size());
  EXPECT_EQ(text.find(".yaml#"), std::string::npos) << "refers to another document";

  std::set<std::string> components;  // "schemas/movies.Movie"
  std::istringstream lines(text.substr(text.find("\ncomponents:")));
  std::string line, kind;
  while (std::getline(lines, line)) {
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || indent > 4) continue;
    const std::string name = line.substr(indent, line.find(':') - indent);
    if (indent == 2) kind = name;
    if (indent != 4) continue;
    EXPECT_TRUE(components.insert(kind + "/" + name).second) << name << " is there twice";
  }
  std::size_t references = 0;
  const std::string mark = "\"#/components/";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const auto from = at + mark.size();
    const auto name = text.substr(from, text.find('"', from) - from);
    EXPECT_TRUE(components.contains(name)) << name;
    ++references;
  }
  EXPECT_GT(references, 500u);
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
