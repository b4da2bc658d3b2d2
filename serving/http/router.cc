#include "serving/http/router.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "serving/http/query.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxSegments = 32;

struct Path {
  std::vector<std::string> segments;
  bool slash = false;  // ends in '/'
};

// Splits "/a/b/" into {a, b} and a last slash. Views into `path`.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    segments.push_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
    if (path.empty()) segments.emplace_back();
  }
  return segments;
}

// A literal, {name} or {name}ending.
bool well_formed(std::string_view segment) {
  const auto braces =
      std::count_if(segment.begin(), segment.end(), [](char c) { return c == '{' || c == '}'; });
  if (braces == 0) return !segment.empty();
  const std::size_t close = segment.find('}');
  return braces == 2 && segment.front() == '{' && close != std::string_view::npos && close > 1;
}

bool ends_in_slash(std::string_view path) { return path.size() > 1 && path.back() == '/'; }

Result<Path> decode(std::string_view encoded_path) {
  Path path;
  path.slash = ends_in_slash(encoded_path);
  const std::vector<std::string_view> segments = split(encoded_path);
  path.segments.reserve(segments.size());
  for (const std::string_view segment : segments) {
    if (segment.find('%') == std::string_view::npos) {
      path.segments.emplace_back(segment);
      continue;
    }
    MILLRACE_TRY(std::string decoded, percent_decode(segment, Plus::kIsPlus));
    path.segments.push_back(std::move(decoded));
  }
  return path;
}

}  // namespace

struct Router::Node {
  struct Param {
    std::string suffix;
    std::unique_ptr<Node> node;
  };
  // The routes that end here, by method: without and with a last slash.
  std::map<std::string, std::size_t, std::less<>> leaves[2];
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::vector<Param> params;  // longest suffix first

  Node& literal(std::string_view name) {
    auto& slot = literals[std::string(name)];
    if (!slot) slot = std::make_unique<Node>();
    return *slot;
  }

  Node& param(std::string_view suffix) {
    for (const Param& existing : params) {
      if (existing.suffix == suffix) return *existing.node;
    }
    const auto place = std::find_if(params.begin(), params.end(), [&](const Param& other) {
      return other.suffix.size() < suffix.size();
    });
    return *params.insert(place, Param{std::string(suffix), std::make_unique<Node>()})->node;
  }
};

struct Router::Search {
  std::string_view method;
  Path path;
  std::vector<std::string> values;  // of the parameters on the way down
  std::size_t found = 0;
  std::set<std::string, std::less<>> allowed;
  std::size_t beside = 0;  // one of those

  // True when a route with the method ends at `node`; its own spelling of the last slash first.
  bool take(const Node& node) {
    for (const bool other : {false, true}) {
      const auto& leaves = node.leaves[static_cast<std::size_t>(path.slash != other)];
      auto leaf = leaves.find(method);
      if (leaf == leaves.end() && method == "HEAD") leaf = leaves.find("GET");
      if (leaf != leaves.end()) {
        found = leaf->second;
        return true;
      }
      for (const auto& [name, index] : leaves) {
        allowed.insert(name);
        beside = index;
      }
    }
    return false;
  }
};

Router::Router(std::vector<Route> routes)
    : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
  param_names_.resize(routes_.size());
  for (std::size_t i = 0; i < routes_.size(); ++i) add(i);
}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::size_t index) {
  const Route& route = routes_[index];
  const std::string& pattern = route.pattern;
  if (pattern.empty() || pattern.front() != '/' || !route.handler) {
    throw std::invalid_argument("route without a path or a handler: '" + pattern + "'");
  }
  Node* node = root_.get();
  for (const std::string_view segment : split(pattern)) {
    if (!well_formed(segment)) {
      throw std::invalid_argument("bad segment '" + std::string(segment) + "' in " + pattern);
    }
    const std::size_t close = segment.find('}');
    if (close == std::string_view::npos) {
      node = &node->literal(segment);
      continue;
    }
    param_names_[index].emplace_back(segment.substr(1, close - 1));
    node = &node->param(segment.substr(close + 1));
  }
  auto& leaves = node->leaves[static_cast<std::size_t>(ends_in_slash(pattern))];
  if (!leaves.emplace(route.method, index).second) {
    throw std::invalid_argument("two routes for " + route.method + " " + pattern);
  }
}

bool Router::walk(const Node& node, std::size_t depth, Search& search) {
  if (depth == search.path.segments.size()) return search.take(node);
  const std::string& segment = search.path.segments[depth];
  const auto literal = node.literals.find(segment);
  if (literal != node.literals.end() && walk(*literal->second, depth + 1, search)) return true;
  for (const Node::Param& param : node.params) {
    if (segment.size() <= param.suffix.size() || !segment.ends_with(param.suffix)) continue;
    search.values.push_back(segment.substr(0, segment.size() - param.suffix.size()));
    if (walk(*param.node, depth + 1, search)) return true;
    search.values.pop_back();
  }
  return false;
}

Result<Router::Match> Router::match(std::string_view method, std::string_view encoded_path) const {
  Search search;
  search.method = method;
  MILLRACE_TRY(search.path, decode(encoded_path));
  Match match;
  if (search.path.segments.size() > kMaxSegments) return match;
  if (walk(*root_, 0, search)) {
    match.index = search.found;
    match.route = &routes_[search.found];
    const std::vector<std::string>& names = param_names_[search.found];
    for (std::size_t i = 0; i < names.size(); ++i) {
      match.params.emplace(names[i], std::move(search.values[i]));
    }
    return match;
  }
  if (search.allowed.empty()) return match;
  match.beside = &routes_[search.beside];
  if (search.allowed.contains("GET")) search.allowed.insert("HEAD");
  search.allowed.insert("OPTIONS");
  for (const std::string& name : search.allowed) {
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += name;
  }
  return match;
}

}  // namespace millrace::serving
