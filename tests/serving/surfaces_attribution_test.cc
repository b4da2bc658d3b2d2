// Answers are logged as impressions, and what follows from them is attributed to them.
#include "serving/surfaces/attribution.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/eventually.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

class AttributionSurface : public ::testing::Test {
 protected:
  explicit AttributionSurface(TestNode::Options options = {}) : node_(std::move(options)) {
    root_ = enter(node_, "root", Role::kAdmin);
    ann_ = enter(node_, "ann");
    for (const char* id : {"video:1", "video:2", "video:3"}) {
      EXPECT_EQ(node_.call("PUT", std::string("/v1/items/") + id, R"({"title":"V"})", root_.as())
                    .status(),
                201);
    }
  }

  // "feed 2/1/0": what was served, clicked and acted on, of each row.
  std::string rows(const std::string& query = {}) {
    const auto reply = node_.get("/v1/admin/attribution" + query, root_.as());
    EXPECT_EQ(reply.status(), 200) << reply.body();
    std::string all;
    for (std::size_t i = 0; i < reply.size("rows"); ++i) {
      const auto row = "rows." + std::to_string(i) + ".";
      all += (all.empty() ? "" : ", ") + reply.at(row + "algorithm") + " " +
             reply.at(row + "served") + "/" + reply.at(row + "clicked") + "/" +
             reply.at(row + "acted");
    }
    return all;
  }
  bool become(const std::string& wanted) {
    return eventually([&] { return rows() == wanted; });
  }
  // An answer of /v1/recommendations to ann; its id.
  std::string recommend(const std::string& algorithm) {
    return node_.get("/v1/recommendations/" + ann_.id + "?algorithm=" + algorithm, ann_.as())
        .at("recommendation_id");
  }
  void event(const std::string& type, const std::string& recommendation, const Person& of) {
    const auto sent =
        node_.call("POST", "/v1/events?wait=applied",
                   R"({"type":")" + type + R"(","data":{"user":")" + of.id +
                       R"(","item":"video:1","recommendation_id":")" + recommendation + "\"}}",
                   of.as());
    EXPECT_EQ(sent.at("accepted"), "1") << sent.body();
  }
  double dropped(const std::string& reason) {
    return node_.metrics().counter("impressions_dropped_total", "", {{"reason", reason}}).value();
  }

  TestNode node_;
  Person root_, ann_;
};

TEST_F(AttributionSurface, WhatNamesAnAnswerIsAttributedToIt) {
  const auto feed = node_.get("/api/v1/shoppable-videos/?seed=3", ann_.as());
  const auto id = feed.header("X-Millrace-Recommendation");
  ASSERT_EQ(id.size(), 36u);
  auto headers = ann_.as();
  headers.emplace_back("x-millrace-recommendation", id);
  const auto act = [&](const char* path) {
    return node_.call("POST", std::string("/api/v1/shoppable-videos/") + path, {}, headers)
        .status();
  };
  EXPECT_EQ(act("1/view/"), 200);
  EXPECT_EQ(rows(), "feed 1/1/0") << "the answer is in the log before what names it";
  EXPECT_EQ(act("1/view/"), 200);
  EXPECT_EQ(act("2/view/"), 200);
  EXPECT_EQ(rows(), "feed 1/1/0") << "an answer counts once";
  EXPECT_EQ(act("1/like/"), 200);
  EXPECT_EQ(rows(), "feed 1/1/1");
  EXPECT_EQ(act("1/like/"), 200);
  EXPECT_EQ(rows(), "feed 1/1/1") << "an unlike is nothing that came of it";
}

TEST_F(AttributionSurface, EachAlgorithmHasItsOwn) {
  const auto popular = recommend("popular"), trending = recommend("trending");
  node_.get("/v1/feed/" + ann_.id, ann_.as());
  event("click", popular, ann_);
  event("skip", trending, ann_);
  event("unlike", trending, ann_);
  EXPECT_TRUE(become("feed 1/0/0, popular 1/1/0, trending 1/0/0")) << rows();
  event("save", popular, ann_);
  event("share", trending, ann_);
  EXPECT_EQ(rows(), "feed 1/0/0, popular 1/1/1, trending 1/0/1");
  EXPECT_EQ(rows("?algorithm=popular"), "popular 1/1/1");
  EXPECT_EQ(rows("?by=day"), "feed 1/0/0, popular 1/1/1, trending 1/0/1");
}

TEST_F(AttributionSurface, OnlyWhoWasShownAnAnswerActsOnIt) {
  const auto bob = enter(node_, "bob");
  const auto id = recommend("popular");
  event("click", id, bob);
  event("click", "no such answer", ann_);
  EXPECT_EQ(rows(), "popular 1/0/0");
  for (int i = 0; i < 8; ++i) recommend("trending");
  event("click", id, ann_);
  EXPECT_EQ(rows(), "popular 1/0/0, trending 8/0/0") << "eight answers later it is forgotten";
}

TEST_F(AttributionSurface, AnAnswerCountsInItsHourHoweverLateWhatComesOfItIs) {
  const auto id = recommend("popular");
  ASSERT_TRUE(become("popular 1/0/0"));
  const auto first = node_.get("/v1/admin/attribution", root_.as()).at("rows.0.start");
  node_.clock().advance(5LL * 3600 * 1000);
  event("click", id, ann_);
  event("click", recommend("popular"), ann_);
  const auto reply = node_.get("/v1/admin/attribution", root_.as());
  EXPECT_EQ(rows(), "popular 1/1/0, popular 1/1/0");
  EXPECT_EQ(reply.at("rows.0.start"), first);
  EXPECT_EQ(rows("?from=" + reply.at("rows.1.start")), "popular 1/1/0");
  EXPECT_EQ(rows("?to=" + first), "popular 1/1/0") << "inclusive";
  EXPECT_EQ(rows("?from=0&to=1"), "");
}

TEST_F(AttributionSurface, AReplayOfTheLogSaysTheSame) {
  event("click", recommend("popular"), ann_);
  event("like", recommend("trending"), ann_);
  node_.restart();
  EXPECT_EQ(rows(), "popular 1/1/0, trending 1/0/1");
  node_.restart(true);
  EXPECT_EQ(rows(), "popular 1/1/0, trending 1/0/1");
}

TEST_F(AttributionSurface, ToHaveBeenShownSomethingIsToHaveDoneNothing) {
  recommend("popular");
  ASSERT_TRUE(become("popular 1/0/0"));
  const auto feed = node_.get("/v1/feed/" + ann_.id, ann_.as());
  EXPECT_NE(feed.at("level"), "personal");
  const auto profile = node_.get("/v1/users/" + ann_.id + "/profile", ann_.as());
  EXPECT_EQ(profile.at("events"), node_.get("/v1/users/999/profile", root_.as()).at("events"));
  EXPECT_EQ(node_.get("/v1/items/video:1", root_.as()).at("views"), "0");
}

TEST_F(AttributionSurface, StrangersAnswersAreNotLogged) {
  node_.get("/api/v1/shoppable-videos/");
  node_.get("/v1/feed/nobody", root_.as());
  recommend("popular");
  EXPECT_TRUE(become("popular 1/0/0")) << rows();
}

TEST_F(AttributionSurface, WhatIsAskedWronglyIsNamed) {
  for (const auto& [query, field] :
       std::vector<std::pair<std::string, std::string>>{{"from=never", "from"},
                                                        {"to=-1", "to"},
                                                        {"from=2&to=1", "from"},
                                                        {"by=week", "by"},
                                                        {"by=", "by"},
                                                        {"algorithm=", "algorithm"}}) {
    const auto reply = node_.get("/v1/admin/attribution?" + query, root_.as());
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
  EXPECT_EQ(node_.get("/v1/admin/attribution").status(), 401);
  EXPECT_EQ(node_.get("/v1/admin/attribution", ann_.as()).status(), 403);
}

TestNode::Options with(ingest::Impressions::Options impressions) {
  TestNode::Options options;
  options.impressions = impressions;
  return options;
}

class AttributionAtARate : public AttributionSurface {
 protected:
  AttributionAtARate() : AttributionSurface(with({.per_second = 3})) {}
};

TEST_F(AttributionAtARate, NoMoreIsLoggedThanTheFlagSays) {
  for (int i = 0; i < 5; ++i) recommend("popular");
  EXPECT_TRUE(become("popular 3/0/0")) << rows();
  EXPECT_EQ(dropped("rate"), 2);
  node_.clock().advance(1'000);
  recommend("popular");
  EXPECT_TRUE(become("popular 4/0/0")) << rows();
}

class AttributionOff : public AttributionSurface {
 protected:
  AttributionOff() : AttributionSurface(with({.per_second = 0})) {}
};

TEST_F(AttributionOff, NothingIsLoggedAndNothingCountedAsDropped) {
  const auto end = node_.log().end({Topic::kInteractions, 0}) +
                   node_.log().end({Topic::kInteractions, 1}) +
                   node_.log().end({Topic::kInteractions, 2});
  const auto id = recommend("popular");
  event("click", id, ann_);
  EXPECT_EQ(rows(), "");
  EXPECT_EQ(dropped("rate"), 0);
  EXPECT_EQ(node_.log().end({Topic::kInteractions, 0}) +
                node_.log().end({Topic::kInteractions, 1}) +
                node_.log().end({Topic::kInteractions, 2}),
            end + 1);
}

class AttributionWithASmallQueue : public AttributionSurface {
 protected:
  AttributionWithASmallQueue() : AttributionSurface(with({.queue = 4, .flush_ms = 1})) {}
};

TEST_F(AttributionWithASmallQueue, ASlowLogHoldsUpNoAnswer) {
  node_.log().hold_appends();
  recommend("popular");
  ASSERT_TRUE(eventually([&] { return node_.log().waiting() > 0; }));
  for (int i = 0; i < 10; ++i) recommend("trending");
  EXPECT_EQ(dropped("queue"), 6);
  node_.log().refuse_appends("full");
  node_.log().release_appends();
  EXPECT_TRUE(eventually([&] { return dropped("log") == 5; })) << dropped("log");
}

}  // namespace
}  // namespace millrace
