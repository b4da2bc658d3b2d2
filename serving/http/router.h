#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Finds the route of a request. Built once, then only read: const methods are safe from many
// threads.
//
// A pattern's segments are literal ("items"), a parameter ("{id}") or a parameter with a literal
// ending ("{list}.atom"). A parameter takes one whole segment, never an empty one. Literals win
// over parameters, longer endings over shorter. A path with and without its last slash is the same,
// unless both are routes. HEAD is served by the GET route where there is no HEAD route.
class Router {
 public:
  // Throws std::invalid_argument for two routes that could not be told apart, and for a bad
  // pattern.
  explicit Router(std::vector<Route> routes);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  struct Match {
    const Route* route = nullptr;  // null: no such path (`allow` empty), or not with this method
    std::size_t index = 0;         // of the route in routes()
    std::map<std::string, std::string, std::less<>> params;  // decoded
    std::string allow;  // without a route: "GET, HEAD, …", the methods that this path has
    const Route* beside = nullptr;  // without a route: one of another method
  };

  // `encoded_path` as sent, without query; segments are split before they are decoded, so that an
  // id may hold %2F. kInvalid for a bad escape.
  Result<Match> match(std::string_view method, std::string_view encoded_path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  struct Search;
  void add(std::size_t index);
  static bool walk(const Node& node, std::size_t depth, Search& search);

  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
  std::vector<std::vector<std::string>> param_names_;  // per route, in order
};

}  // namespace millrace::serving
