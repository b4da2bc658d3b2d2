#include "schemas/event_json.h"

#include <gtest/gtest.h>

#include "schemas/rfc3339.h"

namespace millrace {
namespace {

// The error of the one event in `body`; an Error with empty field if there is none.
Error verdict(std::string_view body, BodyKind kind = BodyKind::kJson) {
  const auto events = parse_events(body, kind);
  if (!events.has_value()) return events.error();
  EXPECT_EQ(events->size(), 1U);
  return events->front().event.has_value() ? Error{} : events->front().event.error();
}

std::string field_refused(std::string_view data_members, std::string_view type = "view") {
  return verdict("{\"type\":\"" + std::string(type) + "\",\"data\":{" + std::string(data_members) +
                 "}}")
      .field;
}

std::string with_attribute(std::string_view members) {
  return "{" + std::string(members) + R"(,"type":"view","data":{"user":"u","item":"i"}})";
}

constexpr std::string_view kFull = R"({
  "specversion": "1.0", "id": "e1", "source": "/app", "type": "rate", "extension": [1, {"a": null}],
  "time": "2026-01-31T13:00:00.25+01:00", "datacontenttype": "application/json; charset=utf-8",
  "data": {"user": 7, "item": "movie:1", "session": "s1", "value": 4.5, "duration_s": 61.9,
           "mood": "calm", "mood_intensity": 3, "device": "phone", "context": {"page": "home", "n": 1.0},
           "notes": "two\nlines, 漢字", "recommendation_id": "r1", "category": "other"}})";

Event full_event() {
  Event event;
  event.source = "/app";
  event.id = "e1";
  event.type = "rate";
  event.user = UserId("7");
  event.item = ItemId("movie:1");
  event.time = 1'769'860'800'250;
  event.session = "s1";
  event.value_centi = 450;
  event.duration_s = 61;
  event.mood = "calm";
  event.mood_intensity = 3;
  event.device = "phone";
  event.context = R"({"page":"home","n":1.0})";
  event.context_is_object = true;
  event.notes = "two\nlines, 漢字";
  event.recommendation_id = "r1";
  return event;
}

TEST(ParseEvents, ReadsEveryMember) {
  const auto events = parse_events(kFull, BodyKind::kStructured);
  ASSERT_TRUE(events.has_value());
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().id, "e1");
  ASSERT_TRUE(events->front().event.has_value()) << events->front().event.error().field;
  EXPECT_EQ(*events->front().event, full_event());
}

TEST(ParseEvents, ReadsTheLeastThatIsAnEvent) {
  const auto events =
      parse_events(R"({"type":"view","data":{"user":"u","item":"i"}})", BodyKind::kJson);
  ASSERT_TRUE(events.has_value());
  Event least;
  least.type = "view";
  least.user = UserId("u");
  least.item = ItemId("i");
  EXPECT_EQ(events->front().event, least);
}

TEST(ParseEvents, PrintedEventsReadBackTheSame) {
  Interaction interaction{full_event(), 14, 3};
  std::string text;
  JsonWriter writer(text);
  append_event_json(writer, interaction, "rate");
  EXPECT_EQ(parse_events(text, BodyKind::kStructured)->front().event, full_event());

  interaction.event.context = "plain \"text\"";
  interaction.event.context_is_object = false;
  interaction.event.value_centi = 57;
  text.clear();
  JsonWriter again(text);
  append_event_json(again, interaction, "rate");
  EXPECT_EQ(parse_events(text, BodyKind::kStructured)->front().event, interaction.event);
}

TEST(ParseEvents, OneBadEventDoesNotSpoilOthers) {
  const auto events = parse_events(R"([
      {"id":"a","type":"view","data":{"user":"u","item":"i"}},
      {"type":"view","data":{"user":{"x":[1]},"item":"i"},"id":"b"},
      7, null, [],
      {"id":"c","type":"view","data":{"user":"\ud800","item":"i"}},
      {"id":"d","type":"view","data":{"user":"u","item":"i","zz":123456789012345678901234567890,"y":1e999}}])",
                                   BodyKind::kJson);
  ASSERT_TRUE(events.has_value());
  ASSERT_EQ(events->size(), 7U);
  EXPECT_TRUE((*events)[0].event.has_value());
  EXPECT_EQ((*events)[1].event.error().field, "data.user");
  EXPECT_EQ((*events)[1].id, "b");
  for (const std::size_t i : {2U, 3U, 4U}) EXPECT_EQ((*events)[i].event.error().field, "event");
  EXPECT_EQ((*events)[5].event.error().field, "data.user");
  EXPECT_EQ((*events)[5].id, "c");
  EXPECT_TRUE((*events)[6].event.has_value());
}

TEST(ParseEvents, ABrokenLineIsItsOwnError) {
  const auto events = parse_events(
      "{\"type\":\"view\",\"data\":{\"user\":\"u\",\"item\":\"i\"}}\r\n\n  \n{\"type\":\n\xff\n"
      "{\"type\":\"like\",\"data\":{\"user\":\"u\",\"item\":\"i\"}}",
      BodyKind::kNdjson);
  ASSERT_TRUE(events.has_value());
  ASSERT_EQ(events->size(), 4U);
  EXPECT_TRUE((*events)[0].event.has_value());
  EXPECT_EQ((*events)[1].event.error().field, "event");
  EXPECT_EQ((*events)[2].event.error().field, "event");
  EXPECT_EQ((*events)[3].event->type, "like");
}

TEST(ParseEvents, ABodyThatIsNoJsonIsRefusedWhole) {
  for (const std::string_view body :
       {"", "  ", "hello", "[{}", "{}}", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{'a':1}", "[01]",
        "[1.]", "[nul]", "{\"a\":\"\x01\"}", "{\"a\":\"\\q\"}", "[] []", "{\"a\":tru}", "\"\\ud8\"",
        "[-]"}) {
    EXPECT_EQ(parse_events(body, BodyKind::kJson).error().field, "body") << body;
    EXPECT_EQ(parse_events(body, BodyKind::kJson).error().code, Code::kInvalid) << body;
  }
  EXPECT_EQ(parse_events("[{\"type\":\"\xff\"}]", BodyKind::kJson).error().field, "body");
  EXPECT_EQ(parse_events("no\njson", BodyKind::kNdjson).error().field, "body");
  EXPECT_EQ(parse_events("7", BodyKind::kJson).error().field, "body");
  const std::string deep = std::string(5'000, '[') + std::string(5'000, ']');
  EXPECT_EQ(parse_events(deep, BodyKind::kJson).error().field, "body");
}

TEST(ParseEvents, TheKindSaysWhatABodyMayBe) {
  EXPECT_EQ(verdict("[]", BodyKind::kStructured).field, "body");
  EXPECT_EQ(verdict(kFull, BodyKind::kBatch).field, "body");
  EXPECT_EQ(parse_events("[]", BodyKind::kBatch)->size(), 0U);
  EXPECT_EQ(parse_events("", BodyKind::kNdjson)->size(), 0U);
  const std::string unversioned = with_attribute(R"("id":"e")");
  EXPECT_EQ(verdict(unversioned, BodyKind::kStructured).field, "specversion");
  EXPECT_EQ(verdict("[" + unversioned + "]", BodyKind::kBatch).field, "specversion");
  EXPECT_EQ(verdict(unversioned, BodyKind::kJson).field, "");
}

TEST(ParseEvents, RefusesTooMany) {
  const std::string one = with_attribute(R"("id":"e")");
  EXPECT_EQ(parse_events("[" + one + "," + one + "]", BodyKind::kJson, 1).error().code,
            Code::kTooLarge);
  EXPECT_EQ(parse_events(one + "\n" + one, BodyKind::kNdjson, 1).error().code, Code::kTooLarge);
  EXPECT_EQ(parse_events("[" + one + "," + one + "]", BodyKind::kJson, 2)->size(), 2U);
}

TEST(ParseEvents, AttributesObeyTheirRules) {
  EXPECT_EQ(verdict(with_attribute(R"("specversion":"0.3")")).field, "specversion");
  EXPECT_EQ(verdict(with_attribute(R"("time":"2026-01-31")")).field, "time");
  EXPECT_EQ(verdict(with_attribute(R"("time":17)")).field, "time");
  EXPECT_EQ(verdict(with_attribute(R"("datacontenttype":"text/plain")")).field, "datacontenttype");
  EXPECT_EQ(verdict(with_attribute(R"("data_base64":"AA==")")).field, "data_base64");
  EXPECT_EQ(verdict(with_attribute(R"("id":")" + std::string(257, 'x') + "\"")).field, "id");
  EXPECT_EQ(verdict(with_attribute(R"("source":{})")).field, "source");
  EXPECT_EQ(verdict(with_attribute(R"("source":null,"id":"","time":null)")).field, "");
  EXPECT_EQ(verdict(R"({"type":"View","data":{"user":"u","item":"i"}})").field, "type");
  EXPECT_EQ(verdict(R"({"data":{"user":"u","item":"i"}})").field, "type");
  EXPECT_EQ(verdict(R"({"type":"view"})").field, "data");
  EXPECT_EQ(verdict(R"({"type":"view","data":[]})").field, "data");
  EXPECT_EQ(verdict(R"({"type":"view","data":null})").field, "data");
}

TEST(ParseEvents, DataObeysItsRules) {
  const auto refused = [](std::string_view member) {
    return field_refused(R"("user":"u","item":"i",)" + std::string(member));
  };
  EXPECT_EQ(field_refused(R"("item":"i")"), "data.user");
  EXPECT_EQ(field_refused(R"("user":"u")"), "data.item");
  EXPECT_EQ(field_refused(R"("user":"","item":"i")"), "data.user");
  EXPECT_EQ(field_refused(R"("user":"a\u0007","item":"i")"), "data.user");
  EXPECT_EQ(field_refused(R"("user":1.5,"item":"i")"), "data.user");
  EXPECT_EQ(field_refused(R"("user":true,"item":"i")"), "data.user");
  EXPECT_EQ(refused(R"("value":4.125)"), "data.value");
  EXPECT_EQ(refused(R"("value":1000000.01)"), "data.value");
  EXPECT_EQ(refused(R"("value":"inf")"), "data.value");
  EXPECT_EQ(refused(R"("value":"1e5x")"), "data.value");
  EXPECT_EQ(refused(R"("duration_s":-1)"), "data.duration_s");
  EXPECT_EQ(refused(R"("duration_s":"5")"), "data.duration_s");
  EXPECT_EQ(refused(R"("duration_s":10000001)"), "data.duration_s");
  EXPECT_EQ(refused(R"("mood_intensity":0)"), "data.mood_intensity");
  EXPECT_EQ(refused(R"("mood_intensity":11)"), "data.mood_intensity");
  EXPECT_EQ(refused(R"("mood_intensity":1.5)"), "data.mood_intensity");
  EXPECT_EQ(refused(R"("context":[])"), "data.context");
  EXPECT_EQ(refused(R"("context":{"x":")" + std::string(4096, 'x') + "\"}"), "data.context");
  EXPECT_EQ(refused(R"("notes":")" + std::string(4097, 'x') + "\""), "data.notes");
  EXPECT_EQ(refused(R"("device":"a\nb")"), "data.device");
  EXPECT_EQ(refused(R"("value":"-0.07","session":null)"), "");
}

TEST(ParseEvents, ARatingNeedsItsStars) {
  const std::string who = R"("user":"u","item":"i")";
  EXPECT_EQ(field_refused(who, "rate"), "data.value");
  EXPECT_EQ(field_refused(who + R"(,"value":0.49)", "rate"), "data.value");
  EXPECT_EQ(field_refused(who + R"(,"value":5.5)", "rate"), "data.value");
  EXPECT_EQ(field_refused(who + R"(,"value":"0.5")", "rate"), "");
}

TEST(ParseEvents, LargeBodiesToo) {
  std::string body = "[";
  for (int i = 0; i < 9'999; ++i)
    body += with_attribute("\"id\":\"e" + std::to_string(i) + "\"") + ",";
  body += with_attribute("\"x\":\"" + std::string(1'000'000, 'x') + "\"") + "]";
  const auto events = parse_events(body, BodyKind::kBatch);
  ASSERT_TRUE(events.has_value());
  EXPECT_EQ(events->size(), 10'000U);
  EXPECT_EQ((*events)[1234].id, "e1234");
}

TEST(BinaryMode, ReadsHeadersAndBody) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"host", "x"},       {"ce-specversion", "1.0"}, {"ce-id", "caf%C3%A9%"},
      {"ce-type", "view"}, {"ce-source", "/app"},     {"ce-time", "2026-01-01T00:00:00Z"}};
  const auto outcome = event_from_binary(headers, "application/json", R"({"user":"u","item":"i"})");
  ASSERT_TRUE(outcome.has_value());
  ASSERT_TRUE(outcome->event.has_value());
  EXPECT_EQ(outcome->id, "café%");
  EXPECT_EQ(outcome->event->source, "/app");
  EXPECT_EQ(outcome->event->user, UserId("u"));
  EXPECT_EQ(outcome->event->time, 1'767'225'600'000);
  EXPECT_EQ(event_from_binary(headers, "", "[]")->event.error().field, "data");
  EXPECT_EQ(event_from_binary(headers, "text/plain", "{}")->event.error().field, "datacontenttype");
  EXPECT_EQ(event_from_binary(headers, "", "{").error().field, "body");
  EXPECT_EQ(event_from_binary({}, "", R"({"user":"u","item":"i"})")->event.error().field,
            "specversion");
}

TEST(BinaryMode, HeadersMustDecodeToUtf8) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"ce-specversion", "1.0"}, {"ce-type", "view"}, {"ce-id", "%FF"}};
  EXPECT_EQ(event_from_binary(headers, "", R"({"user":"u","item":"i"})")->event.error().field,
            "id");
}

TEST(BodyKinds, ComeFromTheContentType) {
  EXPECT_EQ(body_kind(""), BodyKind::kJson);
  EXPECT_EQ(body_kind("Application/JSON ; charset=utf-8"), BodyKind::kJson);
  EXPECT_EQ(body_kind("application/cloudevents+json"), BodyKind::kStructured);
  EXPECT_EQ(body_kind("application/cloudevents-batch+json"), BodyKind::kBatch);
  EXPECT_EQ(body_kind("application/x-ndjson"), BodyKind::kNdjson);
  EXPECT_EQ(body_kind("text/html"), std::nullopt);
}

TEST(Rfc3339, ReadsAndPrints) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00.1239-05:30"), 1'769'880'600'123);
  EXPECT_EQ(parse_rfc3339("2016-12-31t23:59:60z"), 1'483'228'800'000);
  EXPECT_EQ(parse_rfc3339("2200-12-31T23:59:59.999Z"), kMaxTime);
  EXPECT_EQ(rfc3339(1'769'880'600'123), "2026-01-31T17:30:00.123Z");
  EXPECT_EQ(rfc3339(kMaxTime), "2200-12-31T23:59:59.999Z");
  for (const auto* text :
       {"", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+5:00",
        "1969-12-31T23:59:59Z", "2026-01-01", "2201-01-01T00:00:00Z", "2026-01-01T00:00:00Z ",
        "+2026-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace millrace
