#include "tests/support/oracle.h"

#include <sstream>

namespace millrace {

std::string OracleEvent::json() const {
  std::ostringstream out;
  out << R"({"specversion":"1.0","source":"oracle","id":")" << id << R"(","type":")" << type
      << R"(","data":{"user":")" << user << R"(","item":")" << item << '"';
  if (type == "rate") out << R"(,"value":)" << value;
  out << "}}";
  return out.str();
}

void Oracle::apply(const OracleEvent& event) {
  all_.push_back(event);
  histories_[event.user].emplace_back(event.type, event.item);
  auto& item = items_[event.item];
  const auto& user = event.user;
  if (event.type == "view" || event.type == "product_view") ++item.views;
  if (event.type == "share") ++item.shares;
  if (event.type == "play") ++item.plays;
  if (event.type == "like") item.likers.insert(user);
  if (event.type == "unlike" || event.type == "dislike") item.likers.erase(user);
  if (event.type == "save") item.savers.insert(user);
  if (event.type == "unsave") item.savers.erase(user);
  if (event.type == "watch" || event.type == "rate") item.watchers.insert(user);
  if (event.type == "unwatch" && !item.ratings.contains(user)) item.watchers.erase(user);
  if (event.type == "rate") item.ratings[user] = event.value;
  if (event.type == "unrate") item.ratings.erase(user);
}

void Oracle::erase(const std::string& user) {
  auto events = std::move(all_);
  *this = {};
  for (const auto& event : events) {
    if (event.user != user) apply(event);
  }
}

}  // namespace millrace
