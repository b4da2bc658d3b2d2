#pragma once
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "serving/http/router.h"

namespace millrace::serving {

// The routes of the server's own pages, called without a server.
class PagesWorld : public ::testing::Test {
 protected:
  explicit PagesWorld(std::vector<Route> routes) : router_(std::move(routes)) {}

  Reply get(const std::string& path, const std::string& accept_encoding = {}) {
    Request request;
    request.method = "GET";
    const auto question = path.find('?');
    if (question != std::string::npos) {
      const auto equals = path.find('=');
      request.query.emplace_back(path.substr(question + 1, equals - question - 1),
                                 path.substr(equals + 1));
    }
    if (!accept_encoding.empty()) request.headers.emplace_back("accept-encoding", accept_encoding);
    const auto match = router_.match("GET", path.substr(0, question));
    request.params = match->params;
    return std::get<Reply>(match->route->handler(request));
  }

  static std::string header(const Reply& reply, const std::string& name) {
    for (const auto& [field, value] : reply.headers) {
      if (field == name) return value;
    }
    return {};
  }

  // The address of the asset `file` as `page` names it; empty when it names none.
  static std::string asset(const Reply& page, const std::string& file) {
    const auto end = page.body.find(file + "\"");
    if (end == std::string::npos) return {};
    const auto begin = page.body.rfind('"', end) + 1;
    return page.body.substr(begin, end - begin) + file;
  }

 private:
  Router router_;
};

}  // namespace millrace::serving
