// What earlier versions wrote must be readable for ever: golden/*.bin are such bytes. A new kind of
// record gets a new file, written once by
//   MILLRACE_WRITE_GOLDEN=1 build/dev/tests/schemas_test --gtest_filter='Golden.*'
// which never overwrites one that exists. See schemas/FORMATS.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "schemas/catalog_record.h"
#include "schemas/record.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

std::string golden(const std::string& name, const std::string& would_write) {
  const fs::path path = fs::path(MILLRACE_SOURCE_DIR) / "tests/schemas/golden" / (name + ".bin");
  if (std::getenv("MILLRACE_WRITE_GOLDEN") != nullptr && !fs::exists(path)) {
    std::ofstream(path, std::ios::binary) << would_write;
  }
  EXPECT_TRUE(fs::exists(path)) << path;
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Interaction interaction() {
  Interaction it;
  it.type_number = 14;
  it.weight = -3;
  it.event.source = "/app";
  it.event.id = "e1";
  it.event.user = UserId("u1");
  it.event.item = ItemId("movie:1");
  it.event.time = 1'769'860'800'250;
  it.event.session = "s1";
  it.event.value_centi = -450;
  it.event.duration_s = 61;
  it.event.mood = "calm";
  it.event.mood_intensity = 3;
  it.event.device = "phone";
  it.event.context = R"({"page":"home"})";
  it.event.context_is_object = true;
  it.event.notes = "naïve";
  it.event.recommendation_id = "r1";
  return it;
}

Ruleset ruleset() {
  Ruleset rules;
  rules.rule_version = 2;
  rules.types = {{1, "view"}, {64, "applaud"}};
  rules.short_half_life_ms = 1;
  rules.long_half_life_ms = 2;
  rules.sequence_window = 3;
  rules.dedupe_ids = 4;
  rules.dedupe_ms = 5;
  rules.history_retention_ms = 6;
  return rules;
}

Item item() {
  Item it;
  it.id = ItemId("movie:1");
  it.kind = "movie";
  it.title = "Heat";
  it.categories = {"Crime", "Drama"};
  it.tags = {"la", "heist"};
  it.price = "10.00";
  it.created = 818'985'600'000;
  it.published = 0;
  it.attributes = R"({"year":1995})";
  it.hidden = true;
  return it;
}

// `bytes` with a field 1000 that no version has written yet.
std::string from_the_future(std::string bytes) { return bytes + "\xc2\x3e\x03new"; }

void check_log_record(const std::string& name, const LogRecord& record) {
  const std::string bytes = golden(name, encode(record));
  EXPECT_EQ(decode_log_record(bytes), record);
  EXPECT_EQ(decode_log_record(from_the_future(bytes)), record);
}

void check_catalog_record(const std::string& name, const CatalogRecord& record) {
  const std::string bytes = golden(name, encode(record));
  EXPECT_EQ(decode_catalog_record(bytes), record);
  EXPECT_EQ(decode_catalog_record(from_the_future(bytes)), record);
}

TEST(Golden, LogRecords) {
  check_log_record("interaction", interaction());
  check_log_record("ruleset", ruleset());
  check_log_record("erase_user", EraseUser{UserId("u1"), 42});
  auto toggle = interaction();
  toggle.undo_type = 6;
  toggle.undo_weight = -4;
  check_log_record("toggle", toggle);
  check_log_record("impression", Impression{"r1",
                                            UserId("u1"),
                                            "feed",
                                            1ULL << 52,
                                            1'769'860'800'250,
                                            {ItemId("video:2"), ItemId("video:1")}});
  check_log_record("impression_with_scores",
                   Impression{"r1", UserId("u1"), "linear", 7, 8, {ItemId("a")}, {0.5F}});
  check_log_record("expire_tracked", ExpireTracked{UserId("u1")});
}

TEST(Golden, CatalogRecords) {
  check_catalog_record("catalog_item", {"c1", item()});
  check_catalog_record("catalog_delete_item", {"c2", DeleteItem{ItemId("movie:1")}});
  check_catalog_record("catalog_erase_user", {"c3", DemandErase{UserId("u1")}});
}

TEST(Golden, CatalogRecordsOfParents) {
  Item child = item();
  child.parent = ItemId("product:7");
  check_catalog_record("catalog_child", {"c23", child});
}

TEST(Golden, RecordsOfExperiments) {
  Experiment experiment;
  experiment.id = "rec_test_v1";
  experiment.name = "A test";
  experiment.kind = ExperimentKind::kInterleaving;
  experiment.variants = {{"control", "collaborative", {}, 400'000},
                         {"treatment", "feed", {{"feed_tag", 2.5}}, 600'000}};
  experiment.metrics = {"conversion_rate"};
  experiment.start = 1'769'860'800'000;
  experiment.end = 1'769'947'200'000;
  experiment.minimum_sample_size = 1'000;
  check_catalog_record("catalog_put_experiment", {"c29", PutExperiment{experiment}});
  check_catalog_record("catalog_stop_experiment", {"c30", StopExperiment{"rec_test_v1"}});
  check_log_record("impression_in_experiment", Impression{"r1",
                                                          UserId("u1"),
                                                          "interleaved",
                                                          1,
                                                          1'769'860'800'250,
                                                          {ItemId("video:2"), ItemId("video:1")},
                                                          {},
                                                          "rec_test_v1",
                                                          1,
                                                          {false, true}});
}

TEST(Golden, CatalogRecordsOfStores) {
  PutProduct product{7, AccountId(3), 2, "Lamp", "It's bright.", "10.00", "Light", 4, 9};
  check_catalog_record("catalog_put_store", {"c24", PutStore{2, AccountId(3), "Corner"}});
  check_catalog_record("catalog_put_product", {"c25", product});
  check_catalog_record("catalog_delete_owned",
                       {"c26", DeleteOwned{ItemId("product:7"), AccountId(3)}});
  check_catalog_record("catalog_put_rate", {"c27", PutRate{"EUR", Rate{"0.92", 2}}});
  check_catalog_record("catalog_delete_rate", {"c28", DeleteRate{"EUR"}});
}

TEST(Golden, CatalogRecordOfABlend) {
  check_catalog_record("catalog_put_blend",
                       {"c40", PutBlend{{{{1, 2, 300, {{"linear", 1'000'000}, {"recent", 1}}}}}}});
}

TEST(Golden, CatalogRecordsOfUploads) {
  check_catalog_record(
      "catalog_put_dataset",
      {"c29", PutDataset{{"day.csv", DatasetType::kItems, std::string(32, 'a'), 100, 9, 1}}});
  check_catalog_record("catalog_delete_dataset", {"c30", DeleteDataset{7}});
  check_catalog_record(
      "catalog_describe_person",
      {"c31", DescribePerson{UserId("u1"), {{"vip"}, {"Drama"}, R"({"age":"34"})"}}});
}

TEST(Golden, RecordsOfMerges) {
  check_log_record("erase_merged_user", EraseUser{UserId("u1"), 42, 7});
  check_catalog_record("catalog_merge_people", {"c37", MergePeople{UserId("u1"), UserId("u2")}});
}

TEST(Golden, CatalogRecordsOfRankingRules) {
  RankingRule pin{"pin", RuleKind::kPin};
  pin.item = ItemId("movie:1");
  pin.place = 2;
  pin.start = 1'769'860'800'000;
  pin.end = 1'769'947'200'000;
  check_catalog_record("catalog_put_rule_pin", {"c33", PutRule{pin}});
  RankingRule boost{"boost", RuleKind::kBoost};
  boost.field = "attr.brand";
  boost.value = "acme";
  boost.factor = 2.5;
  check_catalog_record("catalog_put_rule_boost", {"c34", PutRule{boost}});
  RankingRule quota{"quota", RuleKind::kQuota};
  quota.field = "category";
  quota.most = 3;
  check_catalog_record("catalog_put_rule_quota", {"c35", PutRule{quota}});
  check_catalog_record("catalog_delete_rule", {"c36", DeleteRule{"pin"}});
}

TEST(Golden, CatalogRecordsOfAccess) {
  const Actor actor{AccountId(7), TokenId(9), "2001:db8::1"};
  const auto range = AddressRange::parse("10.0.0.0/8").value();
  check_catalog_record("catalog_block_address",
                       {"c20", BlockAddress{range, "too much", 42, true}, {}});
  check_catalog_record("catalog_unblock_address", {"c21", UnblockAddress{range}, actor});
  check_catalog_record("catalog_notice",
                       {"c22", Notice{NoticeKind::kAnomaly, "10.0.0.1", R"({"kind":"rate"})"}, {}});
}

TEST(Golden, CatalogRecordsOfAccounts) {
  check_catalog_record("catalog_sign_up",
                       {"c4", SignUp{"ann", "ann@example.org", "hash", Role::kVendor}});
  check_catalog_record(
      "catalog_change_account",
      {"c5", ChangeAccount{AccountId(611), "bob", "bob@example.org", "hash2", Role::kAdmin}});
  check_catalog_record("catalog_close_account", {"c6", CloseAccount{AccountId(611)}});
  check_catalog_record(
      "catalog_issue_token",
      {"c7", IssueToken{AccountId(611), "\x01\xff", "laptop", kScopeIngest, 42, TokenId(3)}});
  check_catalog_record("catalog_revoke_token", {"c8", RevokeToken{TokenId(3)}});
  check_catalog_record("catalog_reserve_users", {"c9", ReserveUsers{610}});
}

TEST(Golden, CatalogRecordsOfMovies) {
  MintItem mint{item()};
  mint.item.id.value.clear();
  check_catalog_record("catalog_mint_item", {"c10", mint});
  check_catalog_record("catalog_put_genre", {"c11", PutGenre{GenreId(3), "Noir"}});
  check_catalog_record("catalog_delete_genre", {"c12", DeleteGenre{GenreId(3)}});
}

TEST(Golden, Items) {
  const std::string bytes = golden("item", encode(item()));
  EXPECT_EQ(decode_item(bytes), item());
  EXPECT_EQ(decode_item(from_the_future(bytes)), item());
}

TEST(Golden, AnInteractionMayCarryUnknownFieldsItself) {
  const std::string inner = golden("interaction", "").substr(2);  // behind tag and length
  ASSERT_LT(inner.size(), 120U);
  const std::string longer = from_the_future(inner);
  const std::string bytes = std::string("\x0a") + static_cast<char>(longer.size()) + longer;
  EXPECT_EQ(decode_log_record(bytes), LogRecord(interaction()));
}

}  // namespace
}  // namespace millrace
