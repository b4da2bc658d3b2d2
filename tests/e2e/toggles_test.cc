// Many people like and unlike at once, over real connections: what each is answered, and what is
// left at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/node.h"
#include "base/clock.h"
#include "tests/support/answer.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/people.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr int kConnections = 64, kVideos = 10;
constexpr std::chrono::seconds kPatience{60};

struct Toggle {
  std::size_t user = 0;
  int video = 0;
  bool liked = false;
  std::int64_t count = 0;  // as it was answered
  std::int64_t begun = 0, ended = 0;
};
using Toggles = std::vector<Toggle>;

// Whether the answers of one person about one video are those of some order in which they may have
// been taken: likes and unlikes by turns, nothing before what had been answered when it was asked.
bool by_turns(Toggles rest) {
  for (bool wanted = true; !rest.empty(); wanted = !wanted) {
    const auto ends = [](const Toggle& a, const Toggle& b) { return a.ended < b.ended; };
    const auto first = std::min_element(rest.begin(), rest.end(), ends)->ended;
    auto next = rest.end();
    for (auto at = rest.begin(); at != rest.end(); ++at) {
      if (at->liked != wanted || at->begun > first) continue;
      if (next == rest.end() || ends(*at, *next)) next = at;
    }
    if (next == rest.end()) return false;
    rest.erase(next);
  }
  return true;
}

// How many answered counts are none that the toggles of the video before and beside theirs allow.
int impossible_counts(const Toggles& all) {
  std::map<bool, std::vector<std::int64_t>> begun, ended;  // by liked
  for (const auto& one : all) {
    begun[one.liked].push_back(one.begun);
    ended[one.liked].push_back(one.ended);
  }
  for (auto* times : {&begun, &ended}) {
    for (auto& [liked, list] : *times) std::sort(list.begin(), list.end());
  }
  const auto before = [](const std::vector<std::int64_t>& times, std::int64_t at) {
    return std::lower_bound(times.begin(), times.end(), at) - times.begin();
  };
  const auto up_to = [](const std::vector<std::int64_t>& times, std::int64_t at) {
    return std::upper_bound(times.begin(), times.end(), at) - times.begin();
  };
  int wrong = 0;
  for (const auto& one : all) {
    // What was answered before, and its own; beside it, the others that had begun by its end.
    const auto likes = before(ended[true], one.begun), unlikes = before(ended[false], one.begun);
    const auto sure = likes - unlikes + (one.liked ? 1 : -1);
    const auto more = up_to(begun[true], one.ended) - likes - (one.liked ? 1 : 0);
    const auto less = up_to(begun[false], one.ended) - unlikes - (one.liked ? 0 : 1);
    wrong += one.count < sure - less || one.count > sure + more ? 1 : 0;
  }
  return wrong;
}

class TogglesAtOnce : public ::testing::Test {
 protected:
  void start(const app::ServeConfig& with) {
    auto config = with;
    config.data = (directory_.path() / std::to_string(nodes_.size())).string();
    config.memory_bytes = 64u << 20;
    config.http.port = 0;
    config.http.threads = 2;
    config.admin_token = "root";
    config.access.per_address = config.access.per_caller = 0;
    auto node = app::Node::start(config, app::Node::Http::kListen);
    if (!node) throw std::runtime_error(node.error().detail);
    nodes_.push_back(*std::move(node));
  }
  static app::ServeConfig embedded(app::Durability durability) {
    app::ServeConfig config;
    config.log.durability = durability;
    return config;
  }

  void prepare(int users) {
    HttpClient http(nodes_[0]->port(), kPatience);
    for (int i = 1; i <= kVideos; ++i) {
      const auto put =
          http.put("/v1/items/video:" + std::to_string(i), R"({"title":"V"})",
                   {{"authorization", "Bearer root"}, {"content-type", "application/json"}});
      ASSERT_EQ(put.status, 201) << put.body;
    }
    for (int i = 0; i < users; ++i) {
      people_.push_back(enter(nodes_[0]->log(), nodes_[0]->engine(), "person" + std::to_string(i)));
    }
  }

  // `count` toggles of anybody on anything, over all connections and nodes.
  Toggles toggle(int count) {
    std::atomic<int> left{count};
    std::atomic<int> refused{0};
    std::vector<Toggles> done(kConnections);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kConnections; ++i) {
      threads.emplace_back([&, i] {
        HttpClient http(nodes_[i % nodes_.size()]->port(), kPatience);
        std::mt19937 random(static_cast<unsigned>(i));
        while (--left >= 0) {
          Toggle one{random() % people_.size(), 1 + static_cast<int>(random() % kVideos)};
          one.begun = steady_micros();
          const auto reply =
              http.post("/api/v1/shoppable-videos/" + std::to_string(one.video) + "/like/", "",
                        people_[one.user].as());
          one.ended = steady_micros();
          if (reply.status != 200 && ++refused < 5) ADD_FAILURE() << reply.status << reply.body;
          if (reply.status != 200) continue;
          const Answer answer(reply);
          one.liked = answer["liked"].truth();
          one.count = static_cast<std::int64_t>(answer["likes_count"].number());
          done[i].push_back(one);
        }
      });
    }
    threads.clear();
    Toggles all;
    for (const auto& some : done) all.insert(all.end(), some.begin(), some.end());
    EXPECT_EQ(static_cast<int>(all.size()), count);
    return all;
  }

  void run(int count) {
    const auto begun = steady_micros();
    const auto all = toggle(count);
    const auto seconds = static_cast<double>(steady_micros() - begun) / 1e6;
    std::map<int, Toggles> of_video;
    std::map<std::pair<std::size_t, int>, Toggles> of_person;
    for (const auto& one : all) {
      of_video[one.video].push_back(one);
      of_person[{one.user, one.video}].push_back(one);
    }
    int wrong = 0, out_of_turn = 0;
    for (const auto& [video, some] : of_video) wrong += impossible_counts(some);
    std::size_t beside = 0;  // toggles that met another of their person and video
    for (const auto& [key, some] : of_person) {
      out_of_turn += by_turns(some) ? 0 : 1;
      for (const auto& one : some) {
        beside += std::any_of(some.begin(), some.end(), [&](const Toggle& other) {
          return &other != &one && other.begun <= one.ended && one.begun <= other.ended;
        });
      }
    }
    EXPECT_EQ(wrong, 0) << "counts that no order of the toggles gives";
    EXPECT_EQ(out_of_turn, 0) << "people whose answers are in no order";
    check_end(of_person);
    std::cout << count << " toggles of " << people_.size() << " people over " << kConnections
              << " connections to " << nodes_.size() << " node(s): " << seconds << " s, " << beside
              << " met another of the same person and video\n";
  }

  // The oracle: liked where the number of toggles is odd.
  void check_end(const std::map<std::pair<std::size_t, int>, Toggles>& of_person) {
    std::map<std::size_t, std::set<int>> liked;
    std::map<int, int> likes;
    for (const auto& [key, some] : of_person) {
      if (some.size() % 2 == 0) continue;
      liked[key.first].insert(key.second);
      ++likes[key.second];
    }
    for (const auto& node : nodes_) {
      HttpClient http(node->port(), kPatience);
      for (int video = 1; video <= kVideos; ++video) {
        const auto path = "/api/v1/shoppable-videos/" + std::to_string(video) + "/";
        double is = -1;
        EXPECT_TRUE(eventually(
            [&] {
              is = Answer(http.get(path))["likes_count"].number();
              return is == likes[video];
            },
            kPatience))
            << is << " likes of video " << video << ", not " << likes[video];
      }
    }
    HttpClient http(nodes_[0]->port(), kPatience);
    for (std::size_t user = 0; user < people_.size(); ++user) {
      std::set<int> is;
      const auto reply = http.get("/api/v1/shoppable-videos/liked/", people_[user].as());
      for (const auto& video : Answer(reply).elements()) {
        is.insert(static_cast<int>(video["id"].number()));
      }
      EXPECT_EQ(is, liked[user]) << "person " << user;
    }
  }

  TempDir directory_;
  std::vector<std::unique_ptr<app::Node>> nodes_;
  std::vector<Person> people_;
};

TEST_F(TogglesAtOnce, EveryAnswerIsOneOfSomeOrderAndTheEndIsTheOracles) {
  start(embedded(app::Durability::kOs));
  prepare(50);
  run(5'000);
}

TEST_F(TogglesAtOnce, EveryAnswerIsOneOfSomeOrderAndTheEndIsTheOraclesLong) {
  start(embedded(app::Durability::kFsync));
  prepare(500);
  run(100'000);
}

class KafkaTogglesAtOnce : public TogglesAtOnce {
 protected:
  void start_three() {
    const auto missing = KafkaBroker::missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    app::ServeConfig config;
    config.log.kind = app::LogKind::kKafka;
    config.kafka.bootstrap = KafkaBroker::shared().bootstrap();
    config.kafka.prefix = KafkaBroker::shared().unique_prefix();
    config.cluster.restore_from_peers = false;
    for (const char* node : {"n0", "n1", "n2"}) {
      config.kafka.node_id = node;
      start(config);
    }
  }
};

TEST_F(KafkaTogglesAtOnce, OnThreeNodesToo) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  if (IsSkipped()) return;
  prepare(50);
  run(5'000);
}

TEST_F(KafkaTogglesAtOnce, OnThreeNodesTooLong) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  if (IsSkipped()) return;
  prepare(500);
  run(100'000);
}

}  // namespace
}  // namespace millrace
