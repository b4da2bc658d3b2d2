// Seed 001's tables, row by row: the right answer, no token (401), the wrong role (403), an unknown
// id (404), bad input (400, naming the field).
#include "serving/surfaces/movies.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/serving/movie_world.h"

namespace millrace {
namespace {

using Ids = std::vector<std::string>;

class Movies : public MovieWorld {};

TEST_F(Movies, TheRootListsWhatThereIs) {
  const auto reply = get("/api/");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.at("movies"), "/api/movies/");
  EXPECT_EQ(reply.at("watch-history"), "/api/watch-history/");
}

TEST_F(Movies, AMovieReadsAsDocumented) {
  rate(ann, 1, 4);
  rate(bob, 1, 5);
  const auto heat = get("/api/movies/1/");
  ASSERT_EQ(heat.status(), 200) << heat.body();
  EXPECT_EQ(heat.at("id"), "1");
  EXPECT_EQ(heat.at("title"), "Heat");
  EXPECT_EQ(heat.at("genres.0.name"), "Crime");
  EXPECT_EQ(heat.at("genres.0.id"), "1");
  EXPECT_EQ(heat.at("genres.1.name"), "Drama");
  EXPECT_EQ(heat.at("release_year"), "1995");
  EXPECT_EQ(heat.at("description"), "Los Angeles.");
  EXPECT_DOUBLE_EQ(heat.number("average_rating"), 4.5);
  EXPECT_EQ(heat.at("watch_count"), "2");
  EXPECT_DOUBLE_EQ(heat.number("popularity"), 4.5 * 0.7 + 2 * 0.3);
  EXPECT_EQ(heat.header("Cache-Control"), "private, no-cache");
  EXPECT_FALSE(heat.header("ETag").empty());
  const auto amelie = get("/api/movies/2/");
  EXPECT_EQ(amelie.find("average_rating")->kind, JsonKind::kNull);
  EXPECT_EQ(amelie.at("watch_count"), "0");
  for (const char* id : {"99", "0", "x", "01", "-1", "99999999999999999999"}) {
    EXPECT_EQ(get("/api/movies/" + std::string(id) + "/").status(), 404) << id;
  }
}

// ---- the list

TEST_F(Movies, AreSearchedAsPeopleType) {
  const auto found = [&](const std::string& query) {
    const auto reply = get("/api/movies/?" + query);
    EXPECT_EQ(reply.status(), 200) << reply.body();
    EXPECT_EQ(reply.number("count"), static_cast<double>(reply.size("results")));
    return reply.ids("results");
  };
  EXPECT_EQ(found(""), (Ids{"1", "2", "3", "4"}));
  EXPECT_EQ(found("search=amelie"), (Ids{"2"}));
  EXPECT_EQ(found("search=AM%C3%89L"), (Ids{"2"}));
  EXPECT_EQ(found("search=toy+story"), (Ids{"3", "4"})) << "the whole title first";
  EXPECT_EQ(found("search=story+t"), (Ids{"3", "4"}));
  EXPECT_EQ(found("search=tory"), Ids{}) << "words are found from their beginnings";
  EXPECT_EQ(found("search=toy+1999"), (Ids{"4"}));
  EXPECT_EQ(found("search=1995"), (Ids{"1", "3"}));
  EXPECT_EQ(found("search=heat+toy"), Ids{}) << "all words";
  EXPECT_EQ(found("genre=Animation"), (Ids{"3", "4"}));
  EXPECT_EQ(found("genre=3"), (Ids{"2", "3"}));
  EXPECT_EQ(found("genre=99"), Ids{});
  EXPECT_EQ(found("genre=Western"), Ids{});
  EXPECT_EQ(found("year=1995"), (Ids{"1", "3"}));
  EXPECT_EQ(found("year=1995&genre=Crime&search=he"), (Ids{"1"}));
}

TEST_F(Movies, AreFilteredByRatingAndOrdered) {
  rate(ann, 1, 5);
  rate(ann, 2, 3);
  rate(bob, 2, 2);
  rate(ann, 3, 4);
  const auto found = [&](const std::string& query) {
    return get("/api/movies/?" + query).ids("results");
  };
  EXPECT_EQ(found("min_rating=4"), (Ids{"1", "3"}));
  EXPECT_EQ(found("max_rating=4"), (Ids{"2", "3"}));
  EXPECT_EQ(found("min_rating=2.5&max_rating=4"), (Ids{"2", "3"}));
  EXPECT_EQ(found("ordering=title"), (Ids{"2", "1", "3", "4"}));
  EXPECT_EQ(found("ordering=-title"), (Ids{"4", "3", "1", "2"}));
  EXPECT_EQ(found("ordering=-id"), (Ids{"4", "3", "2", "1"}));
  EXPECT_EQ(found("ordering=release_year"), (Ids{"1", "3", "4", "2"}));
  EXPECT_EQ(found("ordering=-average_rating"), (Ids{"1", "3", "2", "4"}));
  EXPECT_EQ(found("ordering=-watch_count"), (Ids{"2", "1", "3", "4"}));
  EXPECT_EQ(found("ordering=-popularity"), (Ids{"1", "3", "2", "4"}));
}

TEST_F(Movies, AListNamesTheParameterThatBreaksARule) {
  for (const auto& [query, field] :
       std::vector<std::pair<std::string, std::string>>{{"page=0", "page"},
                                                        {"page=x", "page"},
                                                        {"page_size=0", "page_size"},
                                                        {"page_size=101", "page_size"},
                                                        {"year=x", "year"},
                                                        {"min_rating=6", "min_rating"},
                                                        {"min_rating=nan", "min_rating"},
                                                        {"max_rating=-1", "max_rating"},
                                                        {"ordering=price", "ordering"},
                                                        {"search=", "search"}}) {
    const auto reply = get("/api/movies/?" + query);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
}

TEST_F(Movies, PagesNameTheirNeighbours) {
  const auto second = get("/api/movies/?page_size=1&page=2&year=1995");
  EXPECT_EQ(second.at("count"), "2");
  EXPECT_EQ(second.ids("results"), Ids{"3"});
  EXPECT_EQ(second.find("next")->kind, JsonKind::kNull);
  EXPECT_EQ(second.at("previous"), "/api/movies/?page_size=1&year=1995&page=1");
  EXPECT_EQ(get(second.at("previous")).ids("results"), Ids{"1"});
  EXPECT_EQ(get("/api/movies/?page=2").status(), 404);
  EXPECT_EQ(get("/api/movies/?search=nothing").status(), 200) << "the first page always exists";
}

// ---- writing

TEST_F(Movies, AdminsAddChangeAndRemoveThem) {
  const std::string body = R"({"title":"Alien","genres":[2,1,2],"release_year":1979})";
  EXPECT_EQ(post("/api/movies/", body, nobody).status(), 401);
  EXPECT_EQ(post("/api/movies/", body, ann).status(), 403);
  const auto made = post("/api/movies/", body, admin);
  ASSERT_EQ(made.status(), 201) << made.body();
  EXPECT_EQ(made.at("id"), "5");
  EXPECT_EQ(made.at("genres.0.name"), "Drama");
  EXPECT_EQ(made.size("genres"), 2u);
  EXPECT_EQ(made.at("release_year"), "1979");
  EXPECT_EQ(get("/v1/items/movie:5").at("title"), "Alien");

  const std::string path = "/api/movies/5/";
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(send(method, path, "{}", nobody).status(), 401) << method;
    EXPECT_EQ(send(method, path, "{}", ann).status(), 403) << method;
    EXPECT_EQ(send(method, "/api/movies/99/", R"({"title":"x"})", admin).status(), 404) << method;
  }
  const auto patched = send("PATCH", path, R"({"description":"In space."})", admin);
  EXPECT_EQ(patched.status(), 200) << patched.body();
  EXPECT_EQ(patched.at("description"), "In space.");
  EXPECT_EQ(patched.at("title"), "Alien");
  EXPECT_EQ(patched.at("release_year"), "1979");
  EXPECT_EQ(send("PATCH", path, R"({"release_year":null})", admin).find("release_year")->kind,
            JsonKind::kNull);
  EXPECT_EQ(send("PUT", path, "{}", admin).at("field"), "title");
  const auto put = send("PUT", path, R"({"title":"Aliens"})", admin);
  EXPECT_EQ(put.at("title"), "Aliens");
  EXPECT_EQ(put.size("genres"), 0u);
  EXPECT_EQ(put.at("description"), "");
  EXPECT_EQ(send("DELETE", path, "", admin).status(), 204);
  EXPECT_EQ(get(path).status(), 404);
  EXPECT_EQ(send("DELETE", path, "", admin).status(), 404);
  EXPECT_EQ(post("/api/movies/", body, admin).at("id"), "6") << "ids are never used again";
}

TEST_F(Movies, AWriteNamesTheFieldThatBreaksARule) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "title"},
           {R"({"title":""})", "title"},
           {R"({"title":7})", "title"},
           {R"({"title":"a","genres":"x"})", "genres"},
           {R"({"title":"a","genres":[99]})", "genres"},
           {R"({"title":"a","genres":["Crime"]})", "genres"},
           {R"({"title":"a","release_year":12})", "release_year"},
           {R"({"title":"a","release_year":"x"})", "release_year"},
           {R"({"title":"a","description":{}})", "description"},
           {"[1]", "body"}}) {
    const auto reply = post("/api/movies/", body, admin);
    EXPECT_EQ(reply.status(), 400) << body;
    EXPECT_EQ(reply.at("field"), field) << body;
  }
}

TEST_F(Movies, APatchKeepsWhatTheSurfaceDoesNotKnow) {
  node.call("PUT", "/v1/items/movie:1", R"({"title":"Heat","imdb_id":"0113277","tags":["heist"]})",
            admin.as());
  send("PATCH", "/api/movies/1/", R"({"release_year":1995})", admin);
  const auto item = get("/v1/items/movie:1");
  EXPECT_EQ(item.at("attributes.imdb_id"), "0113277") << item.body();
  EXPECT_EQ(item.at("tags.0"), "heist");
}

// ---- rankings

TEST_F(Movies, RankingsFollowTheirFormulas) {
  rate(ann, 1, 5);
  rate(ann, 2, 2);
  rate(bob, 2, 3);
  rate(ann, 3, 3);
  post("/api/movies/4/watch/", "", bob);
  EXPECT_EQ(get("/api/movies/popular/").ids("results"), (Ids{"1", "3", "2", "4"}));
  EXPECT_EQ(get("/api/movies/top-rated/").ids("results"), (Ids{"1", "3"})) << "3.0 and better";
  EXPECT_EQ(get("/api/movies/top-rated/").at("count"), "2");
  EXPECT_EQ(get("/api/movies/most-watched/").ids("results").front(), "2");
  const auto page = get("/api/movies/popular/?page_size=3&page=2");
  EXPECT_EQ(page.at("count"), "4");
  EXPECT_EQ(page.ids("results"), Ids{"4"});
  EXPECT_EQ(get("/api/movies/popular/?page=0").at("field"), "page");
  EXPECT_EQ(get("/api/movies/popular/?page=9").status(), 404);
}

TEST_F(Movies, OnlyAnonymousRankingsMayBeKept) {
  for (const char* path :
       {"/api/movies/popular/", "/api/movies/top-rated/", "/api/movies/most-watched/"}) {
    EXPECT_EQ(get(path).header("Cache-Control"), "public, max-age=900") << path;
    EXPECT_EQ(get(path, ann).header("Cache-Control"), "private, no-cache") << path;
    EXPECT_FALSE(get(path).header("ETag").empty()) << path;
  }
  EXPECT_EQ(get("/api/genres/").header("Cache-Control"), "public, max-age=3600");
  EXPECT_EQ(get("/api/genres/", ann).header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(get("/api/movies/").header("Cache-Control"), "private, no-cache");
}

// ---- recommended

TEST_F(Movies, RecommendedIsForPeopleAndTwentyLong) {
  for (int i = 0; i < 30; ++i) {
    add("More " + std::to_string(i), R"("genres":["Drama"])");
  }
  EXPECT_EQ(get("/api/movies/recommended/").status(), 401);
  const auto popular = get("/api/movies/recommended/", ann);
  EXPECT_EQ(popular.status(), 200);
  EXPECT_EQ(popular.size("results"), 20u) << "what is popular, to begin with";
  EXPECT_EQ(popular.header("Cache-Control"), "private, no-cache");
  rate(ann, 3, 5);
  const auto mine = get("/api/movies/recommended/", ann).ids("results");
  EXPECT_EQ(mine.size(), 20u);
  EXPECT_NE(std::find(mine.begin(), mine.end(), "4"), mine.end()) << "another animation";
  EXPECT_EQ(std::find(mine.begin(), mine.end(), "3"), mine.end()) << "seen";
  const auto key = post("/v1/admin/keys", R"({"name":"k","scopes":["read"]})", admin).at("key");
  EXPECT_EQ(node.get("/api/movies/recommended/", {{"x-api-key", key}}).status(), 403);
}

TEST_F(Movies, WhatOneDoesShowsInTheVeryNextRead) {
  for (int i = 0; i < 20; ++i) {
    const int movie = i % 4 + 1;
    const auto before = get("/api/movies/" + std::to_string(movie) + "/").number("watch_count");
    const auto person = enter(node, "p" + std::to_string(i));
    rate(person, movie, 5);
    const auto after = get("/api/movies/" + std::to_string(movie) + "/").number("watch_count");
    EXPECT_EQ(after, before + 1);
    const auto recommended = get("/api/movies/recommended/", person).ids("results");
    EXPECT_EQ(recommended.size(), 3u);
    EXPECT_EQ(std::find(recommended.begin(), recommended.end(), std::to_string(movie)),
              recommended.end());
  }
}

// ---- genres

TEST_F(Movies, GenresAreReadByAllAndWrittenByAdmins) {
  const auto all = get("/api/genres/");
  EXPECT_EQ(all.at("count"), "4");
  EXPECT_EQ(all.at("results.2.name"), "Comedy");
  EXPECT_EQ(get("/api/genres/3/").at("name"), "Comedy");
  EXPECT_EQ(get("/api/genres/99/").status(), 404);
  EXPECT_EQ(get("/api/genres/x/").status(), 404);
  const std::string body = R"({"name":"Noir"})";
  EXPECT_EQ(post("/api/genres/", body, nobody).status(), 401);
  EXPECT_EQ(post("/api/genres/", body, ann).status(), 403);
  EXPECT_EQ(post("/api/genres/", "{}", admin).at("field"), "name");
  EXPECT_EQ(post("/api/genres/", R"({"name":""})", admin).at("field"), "name");
  const auto made = post("/api/genres/", body, admin);
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.at("id"), "5");
  const auto twice = post("/api/genres/", R"({"name":"noir"})", admin);
  EXPECT_EQ(twice.status(), 409);
  EXPECT_EQ(twice.at("field"), "name");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(send(method, "/api/genres/3/", body, nobody).status(), 401) << method;
    EXPECT_EQ(send(method, "/api/genres/3/", body, ann).status(), 403) << method;
    EXPECT_EQ(send(method, "/api/genres/99/", body, admin).status(), 404) << method;
  }
  EXPECT_EQ(send("PUT", "/api/genres/3/", "{}", admin).at("field"), "name");
  EXPECT_EQ(send("PATCH", "/api/genres/3/", "{}", admin).at("name"), "Comedy");
  EXPECT_EQ(send("PATCH", "/api/genres/3/", body, admin).status(), 409);
}

TEST_F(Movies, ARenamedGenreShowsInTheNextRecommendation) {
  rate(ann, 3, 5);
  rate(bob, 4, 5);
  EXPECT_EQ(send("PUT", "/api/genres/4/", R"({"name":"Cartoon"})", admin).at("name"), "Cartoon");
  const auto next = get("/api/movies/recommended/", ann);
  EXPECT_EQ(next.at("results.0.id"), "4");
  EXPECT_EQ(next.at("results.0.genres.0.name"), "Cartoon");
  EXPECT_EQ(next.at("results.0.genres.0.id"), "4") << "under its old id";
  EXPECT_EQ(get("/api/movies/?genre=Cartoon").ids("results"), (Ids{"3", "4"}));
}

TEST_F(Movies, ADeletedGenreLeavesItsMovies) {
  EXPECT_EQ(send("DELETE", "/api/genres/3/", "", admin).status(), 204);
  EXPECT_EQ(get("/api/genres/3/").status(), 404);
  const auto movie = get("/api/movies/3/");
  EXPECT_EQ(movie.size("genres"), 1u);
  EXPECT_EQ(movie.at("genres.0.name"), "Animation");
  EXPECT_EQ(send("DELETE", "/api/genres/3/", "", admin).status(), 404);
}

}  // namespace
}  // namespace millrace
