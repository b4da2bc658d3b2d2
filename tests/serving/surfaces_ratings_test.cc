// Seed 001's tables, row by row: what people do with movies.
#include "serving/surfaces/ratings.h"

#include <gtest/gtest.h>

#include "tests/serving/movie_world.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

class Ratings : public MovieWorld {};

// ---- rating

TEST_F(Ratings, RatingAlsoWatchesAndRatingAgainReplaces) {
  const std::string path = "/api/movies/1/rate/";
  EXPECT_EQ(post(path, R"({"rating":4})", nobody).status(), 401);
  EXPECT_EQ(post("/api/movies/99/rate/", R"({"rating":4})", ann).status(), 404);
  const auto first = post(path, R"({"rating":4,"review":"Great\ncast."})", ann);
  ASSERT_EQ(first.status(), 201) << first.body();
  EXPECT_EQ(first.at("user"), ann.id);
  EXPECT_EQ(first.at("movie"), "1");
  EXPECT_EQ(first.at("rating"), "4");
  EXPECT_EQ(first.at("review"), "Great\ncast.");
  EXPECT_EQ(first.at("created_at"), "2026-09-21T14:13:20.000Z");
  EXPECT_FALSE(first.position().empty());
  EXPECT_EQ(get("/api/watch-history/", ann).at("results.0.movie"), "1");
  node.clock().advance(5'000);
  const auto again = post(path, R"({"rating":2})", ann);
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("rating"), "2");
  EXPECT_EQ(again.at("review"), "");
  EXPECT_EQ(again.at("created_at"), "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(again.at("updated_at"), "2026-09-21T14:13:25.000Z");
  const auto movie = get("/api/movies/1/");
  EXPECT_EQ(movie.number("average_rating"), 2);
  EXPECT_EQ(movie.at("watch_count"), "1");
}

TEST_F(Ratings, StarsAreWholeAndOneToFive) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {"", "rating"},
           {"{}", "rating"},
           {R"({"rating":0})", "rating"},
           {R"({"rating":6})", "rating"},
           {R"({"rating":4.5})", "rating"},
           {R"({"rating":"four"})", "rating"},
           {R"({"rating":4,"review":7})", "review"},
           {R"({"rating":4,"review":")" + std::string(5'000, 'x') + "\"}", "review"},
           {"[", "body"}}) {
    const auto reply = post("/api/movies/1/rate/", body, ann);
    EXPECT_EQ(reply.status(), 400) << body;
    EXPECT_EQ(reply.at("field"), field) << body;
  }
  EXPECT_EQ(get("/api/ratings/").at("count"), "0");
}

TEST_F(Ratings, ARequestSentAgainWithItsKeyCountsOnce) {
  const TestNode::Headers headers = {ann.as()[0], {"idempotency-key", "k"}};
  const auto rate_with_key = [&](const char* body) {
    return node.call("POST", "/api/movies/1/rate/", body, headers);
  };
  EXPECT_EQ(rate_with_key(R"({"rating":4})").status(), 201);
  EXPECT_EQ(rate_with_key(R"({"rating":4})").at("rating"), "4");
  EXPECT_EQ(get("/v1/users/" + ann.id + "/history", ann).size("items"), 1u);
}

// ---- reading

TEST_F(Ratings, AreListedForEverybodyMovieByMovie) {
  const auto second = rate(bob, 1, 3);
  const auto first = rate(ann, 1, 4, "Good.");
  const auto third = rate(ann, 3, 5);
  const auto all = get("/api/ratings/");
  EXPECT_EQ(all.status(), 200);
  EXPECT_EQ(all.at("count"), "3");
  EXPECT_EQ(all.ids("results"), (Ids{first, second, third}));
  EXPECT_EQ(all.at("results.0.review"), "Good.");
  EXPECT_EQ(get("/api/ratings/?page_size=2&page=2").ids("results"), Ids{third});
  EXPECT_EQ(get("/api/ratings/?page_size=1&page=2").ids("results"), Ids{second});
  EXPECT_EQ(get("/api/ratings/?page=2").status(), 404);
  EXPECT_EQ(get("/api/ratings/?page=x").at("field"), "page");

  EXPECT_EQ(get("/api/movies/1/ratings/").ids("results"), (Ids{first, second}));
  EXPECT_EQ(get("/api/movies/1/ratings/?page_size=1&page=2").ids("results"), Ids{second});
  EXPECT_EQ(get("/api/movies/2/ratings/").at("count"), "0");
  EXPECT_EQ(get("/api/movies/99/ratings/").status(), 404);
  EXPECT_EQ(get("/api/movies/1/ratings/?page_size=0").at("field"), "page_size");

  EXPECT_EQ(get("/api/ratings/" + first + "/").at("review"), "Good.");
  for (const char* id : {"1", "0", "x", "99999999999999999999"}) {
    EXPECT_EQ(get("/api/ratings/" + std::string(id) + "/").status(), 404) << id;
  }
}

TEST_F(Ratings, OfEventsAndImportsAreThereToo) {
  const std::string event =
      R"({"type":"rate","time":"1996-03-29T18:00:00Z","data":{"user":"17","item":"movie:2","value":3.5,"notes":"Old."}})";
  ASSERT_EQ(node.call("POST", "/v1/events?wait=applied", event, admin.as()).at("accepted"), "1");
  const auto all = get("/api/ratings/");
  EXPECT_EQ(all.at("results.0.user"), "17");
  EXPECT_EQ(all.at("results.0.rating"), "3.5");
  EXPECT_EQ(all.at("results.0.review"), "Old.");
  EXPECT_EQ(all.at("results.0.created_at"), "1996-03-29T18:00:00.000Z");
}

TEST_F(Ratings, AreTheSameAfterARestart) {
  rate(ann, 1, 2);
  node.clock().advance(1'000);
  rate(ann, 1, 4, "Better the second time.");
  rate(bob, 1, 3);
  rate(bob, 2, 3);
  ASSERT_EQ(send("DELETE", "/api/ratings/" + rate(ann, 2, 1) + "/", "", ann).status(), 204);
  const auto before = get("/api/ratings/").body();
  node.restart();
  EXPECT_EQ(get("/api/ratings/").body(), before) << "from the state";
  node.restart(true);
  EXPECT_EQ(get("/api/ratings/").body(), before) << "from the log";
}

// ---- changing

TEST_F(Ratings, OnlyTheOwnerChangesARating) {
  const auto path = "/api/ratings/" + rate(ann, 1, 4, "Good.") + "/";
  for (const char* method : {"PUT", "PATCH"}) {
    EXPECT_EQ(send(method, path, R"({"rating":1})", nobody).status(), 401) << method;
    EXPECT_EQ(send(method, path, R"({"rating":1})", bob).status(), 403) << method;
    EXPECT_EQ(send(method, path, R"({"rating":1})", admin).status(), 403) << method;
    EXPECT_EQ(send(method, path, R"({"rating":9})", ann).at("field"), "rating") << method;
    EXPECT_EQ(send(method, path, R"({"rating":1,"review":1})", ann).at("field"), "review")
        << method;
  }
  const auto score = send("PATCH", path, R"({"rating":5})", ann);
  EXPECT_EQ(score.status(), 200) << score.body();
  EXPECT_EQ(score.at("rating"), "5");
  EXPECT_EQ(score.at("review"), "Good.");
  const auto words = send("PATCH", path, R"({"review":"Very good."})", ann);
  EXPECT_EQ(words.at("rating"), "5");
  EXPECT_EQ(words.at("review"), "Very good.");
  EXPECT_EQ(send("PUT", path, R"({"review":"x"})", ann).at("field"), "rating");
  EXPECT_EQ(send("PUT", path, R"({"rating":3})", ann).at("review"), "");
  EXPECT_EQ(get("/api/movies/1/").number("average_rating"), 3);
}

TEST_F(Ratings, OwnersAndAdminsRemoveThemAndTheWatchStays) {
  const auto first = "/api/ratings/" + rate(ann, 1, 4) + "/";
  const auto second = "/api/ratings/" + rate(ann, 2, 4) + "/";
  EXPECT_EQ(send("DELETE", first, "", nobody).status(), 401);
  EXPECT_EQ(send("DELETE", first, "", bob).status(), 403);
  EXPECT_EQ(send("DELETE", first, "", ann).status(), 204);
  EXPECT_EQ(send("DELETE", second, "", admin).status(), 204);
  EXPECT_EQ(get(first).status(), 404);
  EXPECT_EQ(send("DELETE", first, "", ann).status(), 404);
  EXPECT_EQ(send("PATCH", first, "{}", ann).status(), 404);
  EXPECT_EQ(get("/api/ratings/").at("count"), "0");
  EXPECT_EQ(get("/api/movies/1/").at("watch_count"), "1");
  EXPECT_EQ(get("/api/watch-history/", ann).at("count"), "2");
}

TEST_F(Ratings, GoWithTheirAccount) {
  rate(ann, 1, 4);
  rate(bob, 1, 2);
  ASSERT_EQ(send("DELETE", "/api/users/" + ann.id + "/", "", ann).status(), 204);
  EXPECT_EQ(get("/api/ratings/").at("count"), "1");
  EXPECT_EQ(get("/api/movies/1/").number("average_rating"), 2);
}

// ---- watching

TEST_F(Ratings, WatchingIsRememberedAndTakenBack) {
  for (const char* action : {"watch", "unwatch"}) {
    const auto path = "/api/movies/1/" + std::string(action) + "/";
    EXPECT_EQ(post(path, "", nobody).status(), 401) << action;
    EXPECT_EQ(post("/api/movies/99/" + std::string(action) + "/", "", ann).status(), 404);
  }
  const auto seen = post("/api/movies/1/watch/", "", ann);
  ASSERT_EQ(seen.status(), 201) << seen.body();
  EXPECT_EQ(seen.at("movie"), "1");
  EXPECT_EQ(seen.at("watched_at"), "2026-09-21T14:13:20.000Z");
  node.clock().advance(1'000);
  const auto again = post("/api/movies/1/watch/", "", ann);
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.at("watched_at"), seen.at("watched_at"));
  EXPECT_EQ(get("/api/movies/1/").at("watch_count"), "1");
  EXPECT_EQ(post("/api/movies/1/unwatch/", "", ann).status(), 204);
  EXPECT_EQ(get("/api/movies/1/").at("watch_count"), "0");
  EXPECT_EQ(get("/api/watch-history/", ann).at("count"), "0");
  EXPECT_EQ(post("/api/movies/1/unwatch/", "", ann).status(), 404);
  const auto anew = post("/api/movies/1/watch/", "", ann);
  EXPECT_EQ(anew.at("watched_at"), "2026-09-21T14:13:21.000Z");
}

TEST_F(Ratings, WhatIsRatedStaysWatched) {
  rate(ann, 1, 4);
  const auto refused = post("/api/movies/1/unwatch/", "", ann);
  EXPECT_EQ(refused.status(), 400);
  EXPECT_NE(refused.at("detail").find("rated"), std::string::npos);
  EXPECT_EQ(get("/api/movies/1/").at("watch_count"), "1");
}

TEST_F(Ratings, AHistoryIsItsOwnersOnly) {
  post("/api/movies/1/watch/", "", ann);
  node.clock().advance(1'000);
  rate(ann, 3, 4);
  EXPECT_EQ(get("/api/watch-history/").status(), 401);
  const auto mine = get("/api/watch-history/", ann);
  ASSERT_EQ(mine.at("count"), "2");
  EXPECT_EQ(mine.at("results.0.movie"), "3") << "newest first";
  EXPECT_EQ(get("/api/watch-history/", bob).at("count"), "0");
  EXPECT_EQ(get("/api/watch-history/?page=x", ann).at("field"), "page");
  const auto path = "/api/watch-history/" + mine.at("results.1.id") + "/";
  EXPECT_EQ(get(path, ann).at("movie"), "1");
  EXPECT_EQ(get(path).status(), 401);
  EXPECT_EQ(get(path, bob).status(), 403);
  EXPECT_EQ(get(path, admin).status(), 403);
  const auto unknown = std::to_string(std::stoull(mine.at("results.1.id")) + 1);
  EXPECT_EQ(get("/api/watch-history/" + unknown + "/", ann).status(), 404);
}

}  // namespace
}  // namespace millrace
