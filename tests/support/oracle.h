#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace millrace {

// One interaction as a test sends it.
struct OracleEvent {
  std::string id;
  std::string user;
  std::string item;
  std::string type;
  double value = 0;  // stars, for `rate`

  std::string json() const;  // as a CloudEvent
};

// What an item's counts must be.
struct OracleItem {
  std::uint64_t views = 0;
  std::uint64_t shares = 0;
  std::uint64_t plays = 0;
  std::set<std::string> likers;
  std::set<std::string> savers;
  std::set<std::string> watchers;
  std::map<std::string, double> ratings;
};

// The plainest possible account of what a set of events comes to, written without a look at
// Millrace's rules: the state of a server is compared with it, whole. Events of one user must be
// told in order.
class Oracle {
 public:
  void apply(const OracleEvent& event);  // each event once
  void erase(const std::string& user);

  const std::map<std::string, OracleItem>& items() const { return items_; }
  // (type, item), oldest first.
  const std::map<std::string, std::vector<std::pair<std::string, std::string>>>& histories() const {
    return histories_;
  }

 private:
  std::map<std::string, OracleItem> items_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> histories_;
  std::vector<OracleEvent> all_;
};

}  // namespace millrace
