// Seed 003, endpoint by endpoint and field by field.
#include "serving/surfaces/interactions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <string>
#include <vector>

#include "serving/surfaces/tracked_export.h"
#include "tests/serving/interactions_world.h"

namespace millrace {
namespace {

const char* const kSeed =
    R"("contentId":"123","interactionType":"like","interactionValue":5,"moodAtInteraction":"happy",)"
    R"("moodIntensityAtInteraction":8,"interactionDurationSeconds":120,)"
    R"("context":"evening relaxation","notes":"Really enjoyed this content")";

// ---- tracking

TEST_F(Interactions, ARowHasTheSeedsFields) {
  const auto reply = track(R"("userId":)" + ann_.id + "," + kSeed, ann_);
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_FALSE(reply.position().empty());
  const auto id = reply.at("id");
  EXPECT_EQ(
      reply.body(),
      R"({"id":)" + id + R"(,"userId":)" + ann_.id +
          R"(,"contentId":"123",)"
          R"("interactionType":"like","interactionValue":5,"moodAtInteraction":"happy",)"
          R"("moodIntensityAtInteraction":8,"interactionDurationSeconds":120,)"
          R"("context":"evening relaxation","notes":"Really enjoyed this content",)"
          R"("createdAt":"2026-09-21T14:13:20.000Z","updatedAt":"2026-09-21T14:13:20.000Z"})");
  EXPECT_EQ(get("history", "", ann_).at("interactions.0.id"), id);
}

TEST_F(Interactions, ARepeatReplacesTheRowAndKeepsWhenItWasMade) {
  const auto first = track(kSeed, ann_);
  node_.clock().advance(5'000);
  const auto again = track(R"("contentId":123,"interactionType":"like")", ann_);
  EXPECT_EQ(again.status(), 200) << again.body();
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("createdAt"), "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(again.at("updatedAt"), "2026-09-21T14:13:25.000Z");
  for (const char* absent : {"interactionValue", "moodAtInteraction", "moodIntensityAtInteraction",
                             "interactionDurationSeconds", "context", "notes"}) {
    EXPECT_EQ(again.at(absent), "null") << absent;
  }
  EXPECT_EQ(track(R"("contentId":123,"interactionType":"save")", ann_).status(), 201);
  EXPECT_EQ(get("history", "", ann_).at("total"), "2");
  EXPECT_EQ(get("patterns", "", ann_).at("patterns.averageDuration"), "null")
      << "what was replaced is not counted";
}

TEST_F(Interactions, WhatIsWrongIsNamed) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("interactionType":"like")", "contentId"},
           {R"("contentId":"","interactionType":"like")", "contentId"},
           {R"("contentId":[1],"interactionType":"like")", "contentId"},
           {R"("contentId":"1")", "interactionType"},
           {R"("contentId":"1","interactionType":"purchase")", "interactionType"},
           {R"("contentId":"1","interactionType":"like","interactionValue":0)", "interactionValue"},
           {R"("contentId":"1","interactionType":"like","interactionValue":11)",
            "interactionValue"},
           {R"("contentId":"1","interactionType":"like","interactionValue":1.5)",
            "interactionValue"},
           {R"("contentId":"1","interactionType":"rate")", "interactionValue"},
           {R"("contentId":"1","interactionType":"like","moodAtInteraction":")" +
                std::string(51, 'x') + "\"",
            "moodAtInteraction"},
           {R"("contentId":"1","interactionType":"like","moodIntensityAtInteraction":11)",
            "moodIntensityAtInteraction"},
           {R"("contentId":"1","interactionType":"like","interactionDurationSeconds":-1)",
            "interactionDurationSeconds"},
           {R"("contentId":"1","interactionType":"like","context":7)", "context"},
           {R"("contentId":"1","interactionType":"like","notes":")" + std::string(5'000, 'x') +
                "\"",
            "notes"}}) {
    const auto reply = track(body, ann_);
    EXPECT_EQ(reply.status(), 400) << body << reply.body();
    EXPECT_EQ(reply.at("field"), field) << body;
  }
  std::string fifty;
  for (int i = 0; i < 50; ++i) fifty += "é";
  EXPECT_EQ(
      track(R"("contentId":"1","interactionType":"like","moodAtInteraction":")" + fifty + "\"",
            ann_)
          .status(),
      201);
}

TEST_F(Interactions, EverybodyTracksForThemselvesAdminsForAll) {
  const auto for_ann = R"("userId":)" + ann_.id + R"(,"contentId":"1","interactionType":"like")";
  EXPECT_EQ(track(for_ann, nobody_).status(), 401);
  EXPECT_EQ(track(for_ann, bob_).status(), 403);
  EXPECT_EQ(track(for_ann, root_).status(), 201);
  EXPECT_EQ(get("history", "", ann_).at("total"), "1");
}

TEST_F(Interactions, ItShapesTheRestAndARatingIsTwiceTheStars) {
  const auto rated =
      track(R"("contentId":"movie:7","interactionType":"rate","interactionValue":9)", ann_);
  EXPECT_EQ(rated.at("interactionValue"), "9");
  EXPECT_EQ(rated.at("contentId"), "movie:7");
  const auto history = node_.get("/v1/users/" + ann_.id + "/history", ann_.as());
  EXPECT_EQ(history.at("items.0.id"), "movie:7");
  EXPECT_EQ(history.at("items.0.value"), "4.5");
}

// ---- reading

TEST_F(Interactions, HistoryIsForThePersonAndAdmins) {
  track(kSeed, ann_);
  for (const char* what : {"history", "patterns", "export"}) {
    EXPECT_EQ(get(what, "", nobody_).status(), 401) << what;
    EXPECT_EQ(get(what, "", bob_).status(), 403) << what;
    EXPECT_EQ(get(what, "", root_).status(), 200) << what;
    EXPECT_EQ(get(what, "", ann_).header("Cache-Control"), "private, no-cache") << what;
  }
}

TEST_F(Interactions, HistoryIsInPagesNewestFirstAndFiltered) {
  track_some("view", 3);
  track_some("like", 2);
  const auto page = get("history", "?limit=2&offset=1", ann_);
  EXPECT_EQ(page.at("total"), "5");
  EXPECT_EQ(page.at("limit"), "2");
  EXPECT_EQ(page.at("offset"), "1");
  EXPECT_EQ(page.at("interactions.0.contentId"), "c4");
  EXPECT_EQ(page.at("interactions.1.contentId"), "c3");
  EXPECT_EQ(get("history", "?interactionType=like", ann_).at("total"), "2");
  EXPECT_EQ(get("history", "?startDate=2026-09-21T14:13:21Z&endDate=2026-09-21T14:13:22Z", ann_)
                .at("total"),
            "2");
  EXPECT_EQ(get("history", "?endDate=2026-09-21", ann_).at("total"), "5") << "to its end";
  EXPECT_EQ(get("history", "?startDate=2026-09-22", ann_).at("total"), "0");
}

TEST_F(Interactions, WhatWasNotTrackedShowsOnlyWhenAskedFor) {
  const auto sent = node_.call(
      "POST", "/v1/events?wait=applied",
      R"({"type":"view","data":{"user":")" + ann_.id + R"(","item":"movie:1"}})", ann_.as());
  ASSERT_EQ(sent.at("accepted"), "1");
  EXPECT_EQ(get("history", "", ann_).at("total"), "0");
  EXPECT_EQ(get("history", "?all=true", ann_).at("interactions.0.contentId"), "movie:1");
}

TEST_F(Interactions, QueriesThatAreWrongAreNamed) {
  for (const auto& [query, field] : std::vector<std::pair<std::string, std::string>>{
           {"history?limit=0", "limit"},
           {"history?limit=1001", "limit"},
           {"history?offset=-1", "offset"},
           {"history?interactionType=buy", "interactionType"},
           {"history?startDate=yesterday", "startDate"},
           {"history?startDate=2026-02-01&endDate=2026-01-01", "endDate"},
           {"patterns?utcOffset=CET", "utcOffset"},
           {"patterns?utcOffset=%2B02:10", "utcOffset"},
           {"patterns?timeZone=Mars/Olympus", "timeZone"},
           {"patterns?timeZone=", "timeZone"},
           {"patterns?timeZone=UTC&utcOffset=Z", "timeZone"},
           {"patterns?all=perhaps", "all"},
           {"export?format=xml", "format"},
           {"export?includeMoodData=2", "includeMoodData"}}) {
    const auto question = query.find('?');
    const auto reply = get(query.substr(0, question), query.substr(question), ann_);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), field) << query;
  }
}

TEST_F(Interactions, AnErasedPersonHasNone) {
  track(kSeed, ann_);
  ASSERT_EQ(node_.call("DELETE", "/v1/users/" + ann_.id, {}, ann_.as()).status() / 100, 2);
  EXPECT_EQ(get("history", "", ann_).at("total"), "0");
}

// ---- patterns

TEST_F(Interactions, NoRowsGiveNoughtAndNulls) {
  EXPECT_EQ(get("patterns", "", ann_).body(),
            R"({"totalInteractions":0,"dateRange":{"start":null,"end":null},)"
            R"("patterns":{"mostCommonType":null,"averageDuration":null,"moodCorrelation":null,)"
            R"("timeOfDayPattern":null,"contentTypePreference":null},)"
            R"("trends":{"interactionFrequency":null,"moodCorrelation":null}})");
}

TEST_F(Interactions, PatternsFollowTheirFormulas) {
  node_.call("PUT", "/v1/items/movie:1", R"({"title":"Heat"})", root_.as());
  track(R"("contentId":"movie:1","interactionType":"view","interactionDurationSeconds":60)", ann_);
  track_some("like", 2, R"("interactionDurationSeconds":150)");
  const auto patterns = get("patterns", "", ann_);
  EXPECT_EQ(patterns.at("totalInteractions"), "3");
  EXPECT_EQ(patterns.at("dateRange.start"), "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(patterns.at("dateRange.end"), "2026-09-21T14:13:21.000Z");
  EXPECT_EQ(patterns.at("patterns.mostCommonType"), "like");
  EXPECT_EQ(patterns.at("patterns.averageDuration"), "120");
  EXPECT_EQ(patterns.at("patterns.timeOfDayPattern"), "afternoon");
  EXPECT_EQ(patterns.at("patterns.contentTypePreference"), "content");
  EXPECT_EQ(patterns.at("trends.interactionFrequency"), "stable");
  EXPECT_EQ(get("patterns", "?utcOffset=-05:30", ann_).at("patterns.timeOfDayPattern"), "morning");
  EXPECT_EQ(get("patterns", "?timeZone=Asia/Tokyo", ann_).at("patterns.timeOfDayPattern"), "night");
  EXPECT_EQ(get("patterns", "?interactionType=view", ann_).at("patterns.contentTypePreference"),
            "movie");
}

// ---- export

TEST_F(Interactions, AnExportIsAFileWithOrWithoutMood) {
  track(kSeed, ann_);
  const auto json = get("export", "", ann_);
  EXPECT_EQ(json.reply.content_type, "application/json");
  EXPECT_EQ(json.header("Content-Disposition"), "attachment; filename=\"interactions.json\"");
  EXPECT_EQ(json.at("0.moodAtInteraction"), "happy");
  EXPECT_EQ(get("export", "?includeMoodData=false", ann_).find("0.moodAtInteraction"), nullptr);
  const auto csv = get("export", "?format=csv", ann_);
  EXPECT_EQ(csv.reply.content_type, "text/csv; charset=utf-8");
  EXPECT_EQ(
      csv.body(),
      "id,userId,contentId,interactionType,interactionValue,moodAtInteraction,"
      "moodIntensityAtInteraction,interactionDurationSeconds,context,notes,createdAt,updatedAt"
      "\r\n" +
          json.at("0.id") + "," + ann_.id +
          ",123,like,5,happy,8,120,evening relaxation,Really enjoyed this content,"
          "2026-09-21T14:13:20.000Z,2026-09-21T14:13:20.000Z\r\n");
}

TEST_F(Interactions, ACsvQuotesAndKeepsFormulasText) {
  track(R"("contentId":"=1","interactionType":"like","context":"a,b \"c\"\r\nd",)"
        R"json("notes":"=HYPERLINK(1)","moodAtInteraction":"+1")json",
        ann_);
  const auto csv = get("export", "?format=csv", ann_).body();
  const auto line = csv.substr(csv.find("\r\n") + 2);
  EXPECT_NE(
      line.find(",'=1,like,,'+1,,,\"a,b \"\"c\"\"\r\nd\",'=HYPERLINK(1),2026-09-21T14:13:20.000Z,"),
      std::string::npos)
      << line;
}

TEST_F(Interactions, AnExportOfManyPiecesHasEveryRowOnceNewestFirst) {
  std::string rows;
  for (int i = 0; i < 600; ++i) {
    rows += std::string(i == 0 ? "" : ",") + R"({"contentId":)" + std::to_string(i) +
            R"(,"interactionType":")" + (i % 3 == 0 ? "like" : "view") + "\"}";
  }
  const auto sent = node_.call("POST", "/interactions/track/bulk",
                               "{\"interactions\":[" + rows + "]}", ann_.as());
  ASSERT_EQ(sent.at("tracked"), "600");
  const auto all = get("export", "", ann_);
  ASSERT_EQ(all.json.elements.size(), 600u);
  for (int i = 0; i < 600; ++i) {
    ASSERT_EQ(all.at(std::to_string(i) + ".contentId"), std::to_string(599 - i));
  }
  EXPECT_EQ(get("export", "?interactionType=like", ann_).json.elements.size(), 200u);
  EXPECT_EQ(get("export", "?endDate=2026-09-20", ann_).body(), "[]");
  EXPECT_EQ(get("export", "?endDate=2026-09-21", ann_).json.elements.size(), 600u);
  EXPECT_EQ(get("export", "?all=true", ann_).json.elements.size(), 600u);
  const auto csv = get("export", "?format=csv", ann_).body();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 601);
  const auto page = get("history", "?limit=2&offset=598", ann_);
  EXPECT_EQ(page.at("total"), "600");
  EXPECT_EQ(page.at("interactions.1.contentId"), "0");
}

TEST_F(Interactions, AnExportThatBreaksOffIsCounted) {
  using namespace serving;
  using Rows = Result<std::vector<Tracked>>;
  const auto counted = [&](const std::string& reason) {
    const auto text = node_.metrics().text();
    const auto line = "\nexports_broken_off_total{reason=\"" + reason + "\"} ";
    return text.substr(text.find(line) + line.size(), 1);
  };
  Exports exports(node_.metrics());
  const auto stream = [&](RowSource source) {
    return exports.stream(tracked_file(
        ExportFormat::kJson, TrackedPrinter(node_.deps(), ann_.id, true), std::move(source)));
  };
  std::promise<void> go;
  const auto slow = stream([&]() -> Rows {
    go.get_future().wait();
    return fail(Code::kIo, "cannot be read");
  });
  std::promise<bool> broken;
  slow->next([&](const auto& piece) { broken.set_value(!piece); });
  const auto other = stream([] { return Rows(); });
  for (std::size_t i = 1; i < Exports::kMaxWaiting; ++i) {
    other->next([](const auto&) {});
  }
  EXPECT_EQ(counted("full"), "0");
  bool full = false;
  other->next([&](const auto& piece) { full = !piece; });
  EXPECT_TRUE(full);
  EXPECT_EQ(counted("full"), "1");
  go.set_value();
  EXPECT_TRUE(broken.get_future().get());
  EXPECT_EQ(counted("unreadable"), "1");
}

}  // namespace
}  // namespace millrace
