// Whatever is somebody's, a stranger neither reads nor changes. The operations are those of the
// route tables, so that a new one cannot be forgotten: one with a parameter that any account may
// call has to be named here, as somebody's or as nobody's.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/serving/movie_world.h"
#include "tests/support/video_file.h"

namespace millrace {
namespace {

using serving::Policy;

// Of any account, with a parameter that is not whose it is: what they change is the caller's.
const std::set<std::string> kAboutTheCaller = {"/api/movies/{id}/rate/",
                                               "/api/movies/{id}/watch/",
                                               "/api/movies/{id}/unwatch/",
                                               "/api/v1/shoppable-videos/{id}/like/",
                                               "/api/v1/shoppable-videos/{id}/save_video/",
                                               "/api/v1/shoppable-videos/{id}/share/",
                                               "/api/v1/shoppable-videos/{id}/view/"};

// Of somebody, and shown to everybody with an account.
const std::set<std::string> kForEverybody = {"GET /api/v1/store/products/{id}/"};

class Strangers : public MovieWorld {
 protected:
  Strangers() {
    rating_ = rate(ann, 1, 4, "Ann thinks so.");
    entry_ = post("/api/movies/2/watch/", "", ann).at("id");
    token_ = get("/api/token/", ann).at("tokens.0.id");
    const auto store = post("/api/v1/store/", R"({"name":"Ann's"})", ann).at("id");
    const auto product =
        post("/api/v1/store/products/",
             R"({"name":"Lamp","price":"10.00","quantity":3,"category":"Light"})", ann)
            .at("id");
    auto form = ann.as();
    form.emplace_back("content-type", kFormType);
    const auto video =
        node.call("POST", "/api/v1/shoppable-videos/",
                  form_of(
                      {{"title", "Hers"}, {"product_id", product}, {"file", tiny_mp4(), "a.mp4"}}),
                  form)
            .at("id");
    owned_ = {{"/api/v1/shoppable-videos/{id}/", video}, {"/api/v1/store/{id}/", store},
              {"/api/v1/store/products/{id}/", product}, {"/api/ratings/{id}/", rating_},
              {"/api/watch-history/{id}/", entry_},      {"/api/token/{id}/", token_}};
  }

  // The route's path with Ann's things in it.
  std::string path_of(const serving::Route& route) const {
    std::string path = route.pattern;
    const auto at = path.find('{');
    if (at == std::string::npos) return path;
    const auto owned = owned_.find(route.pattern);
    const std::string id = owned != owned_.end()            ? owned->second
                           : kAboutTheCaller.contains(path) ? "3"
                                                            : ann.id;
    return path.replace(at, path.find('}') - at + 1, id);
  }

  // All that there is of Ann.
  std::string ann_now() {
    std::string all;
    for (const auto& path :
         {"/api/users/" + ann.id + "/", std::string("/api/token/"), "/api/ratings/" + rating_ + "/",
          std::string("/api/watch-history/"), "/v1/users/" + ann.id + "/profile",
          "/v1/users/" + ann.id + "/history", std::string("/api/movies/recommended/"),
          std::string("/api/v1/store/"), std::string("/api/v1/store/products/"),
          std::string("/api/v1/shoppable-videos/mine/")}) {
      const auto reply = get(path, ann);
      EXPECT_EQ(reply.status(), 200) << path;
      all += reply.body() + "\n";
    }
    return all;
  }

  std::string rating_, entry_, token_;
  std::map<std::string, std::string> owned_;  // pattern -> Ann's
};

// What a handler that forgot to look whose it is would take.
const char* const kBody =
    R"({"rating":1,"review":"","username":"taken","email":"taken@example.org","name":"k",)"
    R"("scopes":["read"],"title":"taken"})";

TEST_F(Strangers, AreRefusedByEveryOperationThatIsSomebodys) {
  const auto before = ann_now();
  std::size_t refused = 0;
  for (const auto& route : node.routes()) {
    if (route.policy == Policy::kAlways || route.policy == Policy::kPublic) continue;
    const auto name = route.method + " " + route.pattern;
    const auto path = path_of(route);
    // The secret routes are closed without a secret.
    EXPECT_EQ(send(route.method, path, kBody, nobody).status(),
              route.policy == Policy::kSecret ? 403 : 401)
        << name;
    const bool with_parameter = route.pattern.find('{') != std::string::npos;
    if (route.policy == Policy::kIngest || route.policy == Policy::kListen ||
        (route.policy == Policy::kUser && !with_parameter) ||
        kAboutTheCaller.contains(route.pattern) || kForEverybody.contains(name)) {
      continue;
    }
    const auto reply = send(route.method, path, kBody, bob);
    if (route.policy == Policy::kUser) {
      EXPECT_TRUE(owned_.contains(route.pattern)) << name << ": whose is it?";
      EXPECT_TRUE(reply.status() == 403 || reply.status() == 404)
          << name << " answers " << reply.status() << ": " << reply.body();
    } else {
      EXPECT_EQ(reply.status(), 403) << name << ": " << reply.body();
    }
    ++refused;
  }
  EXPECT_GT(refused, 20u);
  EXPECT_EQ(ann_now(), before);
}

TEST_F(Strangers, SeeOnlyTheirOwnWhereEverybodyHasAList) {
  for (const auto& route : node.routes()) {
    if (route.method != "GET" || route.policy != Policy::kUser ||
        route.pattern.find('{') != std::string::npos) {
      continue;
    }
    const auto reply = get(route.pattern, bob);
    EXPECT_EQ(reply.status(), 200) << route.pattern;
    for (const auto& hers :
         {std::string("ann@example.org"), "\"id\":" + rating_ + ",", "\"id\":" + entry_ + ","}) {
      EXPECT_EQ(reply.body().find(hers), std::string::npos) << route.pattern << " shows " << hers;
    }
  }
  EXPECT_EQ(get("/api/token/", bob).size("tokens"), 1u);
  EXPECT_NE(get("/api/token/", bob).at("tokens.0.id"), token_);
}

TEST_F(Strangers, SendNoEventsInAnothersName) {
  const auto before = ann_now();
  const std::string body =
      R"({"type":"rate","data":{"user":")" + ann.id + R"(","item":"movie:1","value":1}})";
  const auto reply = post("/v1/events?wait=applied", body, bob);
  EXPECT_TRUE(reply.status() == 403 || reply.at("accepted") == "0") << reply.body();
  EXPECT_EQ(ann_now(), before);
}

}  // namespace
}  // namespace millrace
