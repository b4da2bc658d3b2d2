#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serving/http/message.h"

namespace millrace::serving {

// Cross-origin resource sharing (Fetch standard): which pages' scripts may read the answers.
// Thread-safe.
class Cors {
 public:
  // Origins as browsers send them: "https://shop.example". None: nothing is added to any answer.
  explicit Cors(const std::vector<std::string>& origins);

  bool allows(std::string_view origin) const { return lines_.contains(origin); }
  // Header lines, each with its line break, of an answer to this request; nullptr: none. Valid as
  // long as this object.
  const std::string* lines(const Request& request) const;
  // Adds what a browser asks before it sends `request`'s method and headers, if that is allowed.
  void answer_preflight(const Request& request, const std::string& methods, Reply& reply) const;

 private:
  std::map<std::string, std::string, std::less<>> lines_;  // by origin
  std::string others_;
};

}  // namespace millrace::serving
