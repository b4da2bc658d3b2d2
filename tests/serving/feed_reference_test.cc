// The feed of seed 000 against a second one, written from the seed and from what
// processors/rankers/feed.h says of candidates and chance: over plain lists of events, nothing
// shared.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "schemas/rfc3339.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

constexpr int kVideos = 320, kProducts = 60, kEvents = 4'000, kUsers = 40;
constexpr double kHalfLifeMs = 6 * 3'600'000.0;

struct Product {
  std::string category;
  std::set<std::string> tags;
};

struct Video {
  int number = 0;
  int product = 0;
  std::set<std::string> tags;
  UnixMillis published = 0;
};

struct Act {
  std::string user, type;
  int video = 0;  // 0: of a product
  int product = 0;
  UnixMillis time = 0;
};

std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t fnv1a(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

// The world and the four stages over it.
struct Reference {
  std::vector<Product> products;
  std::vector<Video> videos;
  std::vector<Act> acts;
  UnixMillis now = 0;

  struct Tally {
    int views = 0, shares = 0;
    std::set<std::string> likes;
    double trend = 0;
    double engagement() const {
      return 0.01 * views + 1.0 * static_cast<double>(likes.size()) + 1.2 * shares;
    }
    double trend_score() const { return std::max(0.0, trend) / (std::max(0.0, trend) + 10); }
  };
  struct Interests {
    std::map<std::string, int> categories, tags;
  };
  struct Scored {
    int video = 0;
    double score = 0;
  };

  std::map<int, Tally> tallies() const {
    const std::map<std::string, double> weights = {{"view", 1}, {"like", 4},    {"unlike", -4},
                                                   {"save", 5}, {"unsave", -5}, {"share", 6}};
    std::map<int, Tally> all;
    std::map<int, std::set<std::string>> savers;
    for (const auto& act : acts) {
      if (act.video == 0) continue;
      auto& tally = all[act.video];
      bool counts = true;
      if (act.type == "view") ++tally.views;
      if (act.type == "share") ++tally.shares;
      if (act.type == "like") counts = tally.likes.insert(act.user).second;
      if (act.type == "unlike") counts = tally.likes.erase(act.user) > 0;
      if (act.type == "save") counts = savers[act.video].insert(act.user).second;
      if (act.type == "unsave") counts = savers[act.video].erase(act.user) > 0;
      if (counts) {
        tally.trend +=
            weights.at(act.type) * std::exp2(-static_cast<double>(now - act.time) / kHalfLifeMs);
      }
    }
    return all;
  }

  Interests interests(const std::string& user) const {
    std::set<int> liked, saved, viewed;
    for (const auto& act : acts) {
      if (act.user != user) continue;
      if (act.type == "like") liked.insert(act.video);
      if (act.type == "unlike") liked.erase(act.video);
      if (act.type == "save") saved.insert(act.video);
      if (act.type == "unsave") saved.erase(act.video);
      if (act.type == "product_view") viewed.insert(act.product);
    }
    liked.insert(saved.begin(), saved.end());
    Interests out;
    for (const int number : liked) {
      const auto& video = videos[static_cast<std::size_t>(number - 1)];
      ++out.categories[products[static_cast<std::size_t>(video.product - 1)].category];
      for (const auto& tag : video.tags) ++out.tags[tag];
    }
    for (const int number : viewed) {
      const auto& product = products[static_cast<std::size_t>(number - 1)];
      ++out.categories[product.category];
      for (const auto& tag : product.tags) ++out.tags[tag];
    }
    return out;
  }

  const std::string& category(const Video& video) const {
    return products[static_cast<std::size_t>(video.product - 1)].category;
  }

  std::vector<int> candidates(const Interests& of, std::map<int, Tally>& tally) const {
    const auto sorted = [&](auto&& keep, auto&& value) {
      std::vector<std::pair<double, int>> list;
      for (const auto& video : videos) {
        if (keep(video)) list.emplace_back(-value(video), video.number);
      }
      std::sort(list.begin(), list.end());
      return list;
    };
    const auto engagement = [&](const Video& video) { return tally[video.number].engagement(); };
    std::vector<int> pool;
    std::set<int> in;
    const auto take = [&](const std::vector<std::pair<double, int>>& list, std::size_t until) {
      for (const auto& [value, number] : list) {
        if (pool.size() >= until) return;
        if (in.insert(number).second) pool.push_back(number);
      }
    };
    std::vector<std::pair<int, std::string>> strongest;
    for (const auto& [name, weight] : of.categories) strongest.emplace_back(-weight, name);
    std::sort(strongest.begin(), strongest.end());
    if (strongest.size() > 10) strongest.resize(10);
    int total = 0;
    for (const auto& [weight, name] : strongest) total -= weight;
    for (const bool shares : {true, false}) {
      for (const auto& [weight, name] : strongest) {
        const auto share = static_cast<std::size_t>(std::ceil(50.0 * -weight / total - 1e-9));
        take(sorted([&](const Video& v) { return category(v) == name; }, engagement),
             shares ? std::min<std::size_t>(50, pool.size() + share) : 50);
      }
    }
    take(sorted([&](const Video& v) { return tally[v.number].trend > 0; },
                [&](const Video& v) { return tally[v.number].trend; }),
         pool.size() + 25);
    take(sorted([](const Video&) { return true; },
                [](const Video& v) { return static_cast<double>(v.published); }),
         pool.size() + 25);
    take(sorted([](const Video&) { return true; }, engagement), 100);
    return pool;
  }

  std::vector<Scored> feed(const std::string& user, std::uint64_t seed) const {
    auto tally = tallies();
    const auto of = interests(user);
    const auto salt = splitmix64(splitmix64(seed) ^ fnv1a(user));
    std::vector<Scored> out;
    for (const int number : candidates(of, tally)) {
      const auto& video = videos[static_cast<std::size_t>(number - 1)];
      double score = of.categories.contains(category(video)) ? 2.0 : 0;
      for (const auto& tag : video.tags) score += of.tags.contains(tag) ? 1.5 : 0;
      score += tally[number].engagement() + 4.0 * tally[number].trend_score();
      const auto drawn = splitmix64(salt ^ fnv1a("video:" + std::to_string(number)));
      score += 0.5 * (static_cast<double>(drawn >> 11) / 9007199254740992.0);
      out.push_back({number, score});
    }
    std::sort(out.begin(), out.end(), [](const Scored& a, const Scored& b) {
      return a.score != b.score ? a.score > b.score : a.video < b.video;
    });
    return out;
  }
};

class FeedReference : public ::testing::Test {
 protected:
  FeedReference() {
    world_.now = node_.clock().now();
    std::string items;
    const auto names = [](const std::set<std::string>& tags) {
      std::string out;
      for (const auto& tag : tags) out += (out.empty() ? "\"" : ",\"") + tag + "\"";
      return "[" + out + "]";
    };
    for (int i = 1; i <= kProducts; ++i) {
      const Product product{"c" + std::to_string(draw(14)), some_tags(2)};
      world_.products.push_back(product);
      items += R"({"id":"product:)" + std::to_string(i) + R"(","title":"P","categories":[")" +
               product.category + R"("],"tags":)" + names(product.tags) + "}\n";
    }
    for (int i = 1; i <= kVideos; ++i) {
      const Video video{i, 1 + draw(kProducts), some_tags(4),
                        world_.now - 1000LL * draw(30 * 86'400)};
      world_.videos.push_back(video);
      items += R"({"id":"video:)" + std::to_string(i) + R"(","title":"V","parent":"product:)" +
               std::to_string(video.product) + R"(","tags":)" + names(video.tags) +
               R"(,"published":")" + rfc3339(video.published) + "\"}\n";
    }
    send("/v1/items", items, kProducts + kVideos);
    for (int i = 0; i < kUsers; ++i) people_.push_back(enter(node_, "u" + std::to_string(i)));
    act();
  }

  int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::set<std::string> some_tags(int most) {
    std::set<std::string> tags;
    for (int i = draw(most + 1); i > 0; --i) tags.insert("t" + std::to_string(draw(20)));
    return tags;
  }

  // Every user's events in the order of the log; a few videos get most of them.
  void act() {
    std::string events;
    const char* types[] = {"view", "view", "view",   "like",  "like",         "unlike",
                           "save", "save", "unsave", "share", "product_view", "product_view"};
    for (int i = 0; i < kEvents; ++i) {
      const int user = draw(draw(kUsers - 2) + 1);  // the last two do nothing
      Act act{people_[static_cast<std::size_t>(user)].id, types[draw(12)], 0, 0,
              world_.now - 1 - 1000LL * draw(2 * 86'400)};
      (act.type == "product_view" ? act.product : act.video) =
          1 + draw(1 + draw(act.type == "product_view" ? kProducts : kVideos));
      const auto item = act.video != 0 ? "video:" + std::to_string(act.video)
                                       : "product:" + std::to_string(act.product);
      events += R"({"type":")" + act.type + R"(","time":")" + rfc3339(act.time) +
                R"(","data":{"user":")" + act.user + R"(","item":")" + item + "\"}}\n";
      world_.acts.push_back(std::move(act));
    }
    send("/v1/events?wait=applied", events, kEvents);
  }

  void send(const std::string& path, const std::string& lines, int count) {
    auto headers = root_.as();
    headers.emplace_back("content-type", "application/x-ndjson");
    const auto reply = node_.call("POST", path, lines, headers);
    ASSERT_EQ(reply.at("accepted"), std::to_string(count)) << reply.body();
  }

  std::mt19937 random_{11};
  TestNode node_;
  Person root_ = enter(node_, "root", Role::kAdmin);
  std::vector<Person> people_;
  Reference world_;
};

TEST_F(FeedReference, TheSameCandidatesScoresAndOrder) {
  std::size_t candidates = 0;
  for (std::size_t user = 0; user < people_.size(); ++user) {
    for (const std::uint64_t seed : {std::uint64_t{1}, (std::uint64_t{1} << 53) - 1}) {
      SCOPED_TRACE("user " + std::to_string(user) + ", seed " + std::to_string(seed));
      const auto wanted = world_.feed(people_[user].id, seed);
      const auto got =
          node_.get("/api/v1/shoppable-videos/?limit=100&explain=true&seed=" + std::to_string(seed),
                    people_[user].as());
      ASSERT_EQ(got.size(""), wanted.size());
      EXPECT_GE(wanted.size(), 50u);
      EXPECT_LE(wanted.size(), 100u);
      candidates += wanted.size();
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto at = std::to_string(i);
        ASSERT_EQ(got.at(at + ".id"), std::to_string(wanted[i].video)) << "place " << i;
        ASSERT_NEAR(got.number(at + ".score"), wanted[i].score, 1e-6) << "place " << i;
      }
    }
  }
  std::cout << people_.size() * 2 << " feeds, " << candidates << " candidates\n";
}

}  // namespace
}  // namespace millrace
