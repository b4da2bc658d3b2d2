#include "processors/views/sessions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "processors/rankers/session.h"
#include "schemas/interaction_table.h"
#include "tests/support/ranker_world.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kRoom = 1u << 20;
using Items = std::vector<state::ItemIndex>;

Items items_of(const Sessions& sessions, Sessions::Number number) {
  std::array<state::ItemIndex, Sessions::kMaxItems> room;
  const auto items = sessions.items(number, room);
  return {items.begin(), items.end()};
}

std::vector<Sessions::Number> with(const Sessions& sessions, state::ItemIndex item,
                                   std::size_t limit = Sessions::kKept) {
  std::vector<Sessions::Number> out;
  sessions.newest(item, limit, out);
  return out;
}

TEST(SessionsTest, AGapOrAnotherNameBeginsAnother) {
  Sessions sessions(kRoom);
  sessions.visit({"ann", "", 0, 1});
  sessions.visit({"bob", "", 5, 2});
  sessions.visit({"ann", "", kSessionGapMs, 2});
  sessions.visit({"ann", "", 2 * kSessionGapMs + 1, 3});
  sessions.visit({"bob", "b", 6, 3});
  sessions.visit({"bob", "b", 6 + 5 * kSessionGapMs, 4});
  EXPECT_EQ(sessions.size(), 4u);
  EXPECT_EQ(items_of(sessions, 1), (Items{1, 2}));
  EXPECT_EQ(items_of(sessions, 2), (Items{2}));
  EXPECT_EQ(items_of(sessions, 3), (Items{3}));
  EXPECT_EQ(items_of(sessions, 4), (Items{3, 4})) << "a named one lasts as long as it is named";
  EXPECT_EQ(with(sessions, 2), (std::vector<Sessions::Number>{2, 1})) << "by when they began";
  EXPECT_EQ(with(sessions, 3, 1), (std::vector<Sessions::Number>{4}));
  EXPECT_EQ(sessions.with(3), 2u);
  EXPECT_TRUE(with(sessions, 99).empty());
}

TEST(SessionsTest, AnItemCountsOnceAndALongOneGoesOnAsAnother) {
  Sessions sessions(kRoom);
  for (state::ItemIndex i = 0; i < Sessions::kMaxItems; ++i) sessions.visit({"ann", "", 0, i});
  sessions.visit({"ann", "", 0, 3});
  EXPECT_EQ(sessions.size(), 1u);
  sessions.visit({"ann", "", 0, 77});
  EXPECT_EQ(sessions.size(), 2u);
  EXPECT_EQ(items_of(sessions, 1).size(), Sessions::kMaxItems);
  EXPECT_EQ(items_of(sessions, 2), (Items{77}));
}

TEST(SessionsTest, TheOldestGoWhenTheRoomIsUsedUp) {
  Sessions sessions(400'000);
  for (int i = 0; i < 20'000; ++i) {
    const auto user = "u" + std::to_string(i);
    sessions.visit({user, "", i, static_cast<state::ItemIndex>(i % 300)});
    sessions.visit({user, "", i, static_cast<state::ItemIndex>(300 + i % 7)});
    ASSERT_LE(sessions.memory_bytes(), 400'000u + 300);
  }
  EXPECT_GT(sessions.size(), 1000u);
  EXPECT_EQ(sessions.dropped() + sessions.size(), 20'000u);
  EXPECT_TRUE(items_of(sessions, 1).empty());
  std::uint64_t all = 0;
  for (state::ItemIndex item = 0; item < 300; ++item) {
    all += sessions.with(item);
    for (const auto number : with(sessions, item)) EXPECT_EQ(items_of(sessions, number)[0], item);
  }
  EXPECT_EQ(all, sessions.size());
  EXPECT_LE(with(sessions, 301).size(), Sessions::kKept);
}

TEST(SessionsTest, ErasingAPersonLeavesWhatWouldBeWithoutThem) {
  Sessions sessions(kRoom), without(kRoom);
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const auto user = "u" + std::to_string(random() % 40);
    const Visit visit{user, "", i * 60'000, static_cast<state::ItemIndex>(random() % 50)};
    sessions.visit(visit);
    if (user != "u7") without.visit(visit);
  }
  const auto before = sessions.size();
  sessions.erase("u7");
  EXPECT_LT(sessions.size(), before);
  EXPECT_EQ(sessions.size(), without.size());
  for (state::ItemIndex item = 0; item < 50; ++item) {
    EXPECT_EQ(sessions.with(item), without.with(item));
    const auto ours = with(sessions, item), theirs = with(without, item);
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(items_of(sessions, ours[i]), items_of(without, theirs[i]));
    }
  }
  sessions.clear();
  EXPECT_EQ(sessions.size(), 0u);
  EXPECT_TRUE(with(sessions, 3).empty());
}

// People one after the other, as state is read on start, come to the same sessions in the same
// order as they did when everybody acted at once.
TEST(SessionsTest, APastReplayedIsWhatWasStreamed) {
  Sessions streamed(kRoom), replayed(kRoom);
  std::map<std::string, std::vector<Visit>> people;
  std::mt19937 random(2);
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back("u" + std::to_string(i));
  for (int i = 0; i < 3000; ++i) {
    const auto& user = names[random() % names.size()];
    const Visit visit{user, random() % 900 == 0 ? "named" : "", i * 90'000,
                      static_cast<state::ItemIndex>(random() % 50)};
    streamed.visit(visit);
    people[user].push_back(visit);
  }
  Sessions::Past past(replayed);
  for (const auto& [user, visits] : people) {
    for (const auto& visit : visits) past.visit(visit);
  }
  past.replay();
  ASSERT_EQ(replayed.size(), streamed.size());
  for (Sessions::Number n = 1; n <= streamed.size(); ++n) {
    ASSERT_EQ(items_of(replayed, n), items_of(streamed, n)) << n;
  }
  const Visit next{names[0], "", 3000 * 90'000, 9};
  streamed.visit(next);
  replayed.visit(next);
  EXPECT_EQ(replayed.size(), streamed.size()) << "what is open goes on";
}

TEST(SessionsTest, ReadersSeeWholeSessionsWhileTheyAreReplaced) {
  Sessions sessions(20'000);  // about a hundred: each cell is used again and again
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < 30'000; ++i) {
      const auto user = "u" + std::to_string(i);
      for (std::uint32_t k = 0; k < 3; ++k) sessions.visit({user, "", i, i % 10 + 10 * k});
    }
    done = true;
  });
  std::size_t seen = 0;
  while (!done) {
    for (const auto number : with(sessions, 3)) {
      const auto items = items_of(sessions, number);
      if (items.empty()) continue;
      ++seen;
      for (std::size_t k = 0; k < items.size(); ++k) ASSERT_EQ(items[k], 3 + 10 * k);
    }
  }
  writer.join();
  EXPECT_GT(with(sessions, 3).size() + seen, 0u);
}

TEST(IsVisit, IsWhateverSaysSomethingGood) {
  const auto says = [](BuiltIn type, std::optional<std::int32_t> value = {}) {
    return is_visit(static_cast<std::uint32_t>(type), value);
  };
  EXPECT_TRUE(says(BuiltIn::kView));
  EXPECT_TRUE(says(BuiltIn::kPurchase));
  EXPECT_TRUE(says(BuiltIn::kRate, 300));
  EXPECT_FALSE(says(BuiltIn::kRate, 250));
  EXPECT_FALSE(says(BuiltIn::kImpression));
  EXPECT_FALSE(says(BuiltIn::kSkip));
  EXPECT_FALSE(says(BuiltIn::kDislike));
  EXPECT_TRUE(is_visit(kFirstCustomType, {}));
}

// The formula of rankers/session.h, sum by sum, over all sessions there are.
std::map<std::string, double> by_hand(const std::vector<std::vector<std::string>>& sessions,
                                      const std::vector<std::string>& at_hand) {
  std::map<std::string, double> with, score;
  for (const auto& session : sessions) {
    for (const auto& item : session) ++with[item];
  }
  const double n = static_cast<double>(at_hand.size());
  for (const auto& session : sessions) {
    double similarity = 0, newest = 0;
    for (std::size_t i = 0; i < at_hand.size(); ++i) {
      const double place = n - 1 - static_cast<double>(i);
      if (std::find(session.begin(), session.end(), at_hand[i]) == session.end()) continue;
      similarity += (n - place) / n;
      newest = 1 - place / 10;
    }
    for (const auto& item : session) {
      score[item] +=
          similarity * newest * std::log((1 + static_cast<double>(sessions.size())) / with[item]);
    }
  }
  return score;
}

TEST(SessionRanker, IsTheFormula) {
  RankerWorld world;
  std::mt19937 random(3);
  std::vector<std::vector<std::string>> sessions;
  for (int i = 0; i < 40; ++i) world.put("video:" + std::to_string(i));
  const auto act = [&](const std::string& user, const std::vector<std::string>& items) {
    for (const auto& item : items) world.view(user, item);
    world.now += kSessionGapMs + 1;
    sessions.push_back(items);
  };
  for (int i = 0; i < 60; ++i) {
    std::set<std::string> items;
    while (items.size() < static_cast<std::size_t>(2 + i % 3)) {
      items.insert("video:" + std::to_string(random() % 40));
    }
    act("u" + std::to_string(i), {items.begin(), items.end()});
  }
  const std::vector<std::string> at_hand{"video:4", "video:9", "video:1"};
  act("me", {"video:33"});  // an earlier session of mine: not at hand
  act("me", at_hand);
  ASSERT_EQ(world.sessions.size(), sessions.size());
  auto expected = by_hand(sessions, at_hand);
  for (const auto& item : at_hand) expected.erase(item);
  expected.erase("video:33");
  Query query;
  query.user = UserId("me");
  query.limit = 10;
  query.explain = true;
  query.now = world.now;
  const auto ranked = rank_session(query, world.state("me"));
  EXPECT_EQ(ranked.algorithm, "session");
  EXPECT_EQ(ranked.level, "personal");
  ASSERT_EQ(ranked.items.size(), 10u);
  std::multimap<double, std::string, std::greater<>> best;
  for (const auto& [item, score] : expected) best.emplace(score, item);
  auto next = best.begin();
  for (const auto& scored : ranked.items) {
    EXPECT_NEAR(scored.score, expected[world.id(scored.item)], 1e-6);
    EXPECT_NEAR(scored.score, (next++)->first, 1e-6);
    for (const auto& part : scored.parts) {
      EXPECT_NE(std::find(at_hand.begin(), at_hand.end(), part.name), at_hand.end());
    }
  }
}

TEST(SessionRanker, KnowsANewItemAtOnceAndAnAnonymousSession) {
  RankerWorld world;
  for (int i = 0; i < 5; ++i) world.put("video:" + std::to_string(i));
  for (const char* user : {"a", "b"}) {
    world.view(user, "video:1");
    world.view(user, "video:2");
  }
  world.view("visitor", "video:1");
  Query query;
  query.session = "visitor";
  query.limit = 1;
  auto ranked = rank_session(query, world.state("", "visitor"));
  EXPECT_EQ(ranked.level, "session");
  EXPECT_EQ(world.ids(ranked), (std::vector<std::string>{"video:2"}));
  world.put("video:new");
  for (const char* user : {"c", "d", "e"}) {
    world.view(user, "video:1");
    world.view(user, "video:new");
  }
  query.limit = 2;
  EXPECT_EQ(world.ids(rank_session(query, world.state("", "visitor"))),
            (std::vector<std::string>{"video:new", "video:2"}));
}

TEST(SessionRanker, SaysWhenItKnowsNothing) {
  RankerWorld world;
  world.put("video:1");
  world.put("video:2");
  world.view("a", "video:1");
  Query query;
  query.now = world.now;
  const auto ranked = rank_session(query, world.state("nobody"));
  EXPECT_NE(ranked.algorithm, "session");
  EXPECT_EQ(ranked.items.size(), 2u);
  auto state = world.state("a");
  state.sessions = nullptr;
  query.user = UserId("a");
  EXPECT_NE(rank_session(query, state).algorithm, "session");
}

}  // namespace
}  // namespace millrace::processors
