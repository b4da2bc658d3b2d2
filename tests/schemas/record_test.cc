#include "schemas/record.h"
#include "schemas/catalog_record.h"

#include <gtest/gtest.h>

#include "schemas/proto/records.pb.h"

namespace millrace {
namespace {

Interaction full_interaction() {
  Interaction it;
  it.type_number = 14;
  it.weight = -3;
  it.event.source = "app";
  it.event.id = "e1";
  it.event.user = UserId("u1");
  it.event.item = ItemId("movie:1");
  it.event.time = -5;
  it.event.session = "s";
  it.event.value_centi = 450;
  it.event.duration_s = 0;
  it.event.mood = "calm";
  it.event.mood_intensity = 10;
  it.event.device = "phone";
  it.event.context = R"({"page":"home"})";
  it.event.context_is_object = true;
  it.event.notes = "naïve";
  it.event.recommendation_id = "r1";
  it.undo_type = 15;
  it.undo_weight = -3;
  return it;
}

Interaction small_interaction() {
  Interaction it;
  it.type_number = 1;
  it.event.user = UserId("u");
  it.event.item = ItemId("i");
  it.event.time = 1'700'000'000'000;
  return it;
}

Item full_item() {
  Item item;
  item.id = ItemId("movie:1");
  item.kind = "movie";
  item.title = "Heat";
  item.categories = {"Crime", "Drama"};
  item.tags = {"la"};
  item.price = "10.00";
  item.created = 0;
  item.published = 1'000;
  item.attributes = R"({"year":1995})";
  item.hidden = true;
  return item;
}

TEST(LogRecord, InteractionsRoundTrip) {
  // A full one first: the second must not inherit anything from it.
  for (const auto& interaction : {full_interaction(), small_interaction()}) {
    const auto back = decode_log_record(encode(LogRecord(interaction)));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(std::get<Interaction>(*back), interaction);
  }
}

TEST(LogRecord, InteractionBytesAreWhatProtobufWrites) {
  const std::string bytes = encode(LogRecord(full_interaction()));
  proto::LogRecord message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  EXPECT_EQ(message.interaction().user(), "u1");
  EXPECT_EQ(message.SerializeAsString(), bytes);
}

TEST(LogRecord, ControlRecordsRoundTrip) {
  Ruleset ruleset;
  ruleset.types = {{1, "view"}, {64, "applaud"}};
  ruleset.history_retention_ms = 7;
  ruleset.tracked_retention = {{1, 86'400'000}};
  const LogRecord expire = ExpireTracked{UserId("u1")};
  EXPECT_EQ(decode_log_record(encode(expire)), expire);
  const LogRecord erase = EraseUser{UserId("u1"), 42};
  const LogRecord shown =
      Impression{"r1", UserId("u1"), "feed", 7, 1'700'000'000'000, {ItemId("a"), ItemId("b")}};
  EXPECT_EQ(decode_log_record(encode(shown)), shown);
  auto tried = std::get<Impression>(shown);
  tried.experiment = "e1";
  tried.arm = 1;
  tried.second = {true, false};
  EXPECT_EQ(decode_log_record(encode(LogRecord(tried))), LogRecord(tried));
  tried.arm = kMaxVariants;
  EXPECT_FALSE(decode_log_record(encode(LogRecord(tried)))) << "no experiment has so many variants";
  EXPECT_EQ(decode_log_record(encode(LogRecord(ruleset))), LogRecord(ruleset));
  EXPECT_EQ(decode_log_record(encode(erase)), erase);
  const LogRecord merged = EraseUser{UserId("u1"), 42, 0};
  EXPECT_EQ(decode_log_record(encode(merged)), merged);
}

TEST(CatalogRecord, EveryChangeRoundTrips) {
  for (const CatalogRecord& record :
       {CatalogRecord{"c1", full_item()},
        CatalogRecord{"c2", DeleteItem{ItemId("movie:1")}},
        CatalogRecord{"", DemandErase{UserId("u1")}},
        CatalogRecord{"c3", SignUp{"ann", "ann@example.org", "hash", Role::kAdmin}},
        CatalogRecord{"c4", ChangeAccount{AccountId(7), "bob", "", {}, Role::kUser}},
        CatalogRecord{"c5", ChangeAccount{AccountId(7), {}, {}, "hash", {}}},
        CatalogRecord{"c6", CloseAccount{AccountId(7)}},
        CatalogRecord{"c7", IssueToken{AccountId(7), "\x01\xff", "key", kScopeRead, 9, TokenId(3)}},
        CatalogRecord{"c8", RevokeToken{TokenId(3)}},
        CatalogRecord{"", ReserveUsers{610}},
        CatalogRecord{"c9", MintItem{full_item()}},
        CatalogRecord{"c10", PutGenre{{}, "Noir"}},
        CatalogRecord{"c11", PutGenre{GenreId(3), "Noir"}},
        CatalogRecord{"c12", DeleteGenre{GenreId(3)}},
        CatalogRecord{"c13",
                      BlockAddress{AddressRange::parse("10.0.0.0/8").value(), "why", 9, true}},
        CatalogRecord{"c14", UnblockAddress{AddressRange::parse("::1").value()}},
        CatalogRecord{"c15", Notice{NoticeKind::kReport, "10.0.0.1", "{}"}},
        CatalogRecord{"c16", DeleteGenre{GenreId(3)}, Actor{AccountId(7), TokenId(9), "::1"}},
        CatalogRecord{"c18", MergePeople{UserId("a"), UserId("b")}},
        CatalogRecord{"c19", DeleteRule{"r"}},
        CatalogRecord{"c17", DeleteGenre{GenreId(3)}, Actor{}}}) {
    EXPECT_EQ(decode_catalog_record(encode(record)), record);
  }
  EXPECT_EQ(decode_item(encode(full_item())), full_item());
}

TEST(CatalogRecord, AnExperimentIsWhole) {
  Experiment experiment;
  experiment.id = "e1";
  experiment.variants = {{"a", "feed", {}, 300'000}, {"b", "popular", {}, 700'000}};
  experiment.metrics = {"clickers"};
  const auto kept = [](const Experiment& one) {
    return decode_catalog_record(encode(CatalogRecord{"c", PutExperiment{one}})).has_value();
  };
  EXPECT_TRUE(kept(experiment));
  auto other = experiment;
  other.variants[0].share -= 1;
  EXPECT_FALSE(kept(other)) << "shares that are not the whole";
  other = experiment;
  other.variants.pop_back();
  EXPECT_FALSE(kept(other));
  other = experiment;
  other.id.clear();
  EXPECT_FALSE(kept(other));
  other = experiment;
  other.metrics.clear();
  EXPECT_FALSE(kept(other));
}

TEST(Records, BytesThatAreNoneAreCorrupt) {
  const std::string good = encode(LogRecord(full_interaction()));
  for (const std::string& bytes : {std::string(), std::string("\xff\xff"), std::string("\x0a\x05"),
                                   good.substr(0, good.size() - 1), good.substr(1),
                                   std::string("\x0a\x00", 2), std::string("\x7a\x01x")}) {
    const auto record = decode_log_record(bytes);
    ASSERT_FALSE(record.has_value());
    EXPECT_EQ(record.error().code, Code::kCorrupt);
  }
  EXPECT_EQ(decode_catalog_record("\xff").error().code, Code::kCorrupt);
  EXPECT_EQ(decode_catalog_record("").error().code, Code::kCorrupt);
  EXPECT_EQ(decode_item("").error().code, Code::kCorrupt);
}

TEST(Records, NothingLessThanAUserAnItemAndATypeIsAnInteraction) {
  Interaction it = small_interaction();
  it.event.user.value.clear();
  EXPECT_FALSE(decode_log_record(encode(LogRecord(it))).has_value());
  it = small_interaction();
  it.type_number = 0;
  EXPECT_FALSE(decode_log_record(encode(LogRecord(it))).has_value());
  for (const auto& shown : {Impression{"", UserId("u"), "feed", 0, 0, {}},
                            Impression{"r", UserId(), "feed", 0, 0, {}}}) {
    EXPECT_FALSE(decode_log_record(encode(LogRecord(shown))).has_value());
  }
}

}  // namespace
}  // namespace millrace
