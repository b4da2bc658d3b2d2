// What the catalog's log decides of datasets, of what is said of people, and of blends.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/state/catalog_world.h"

namespace millrace::state {
namespace {

using Outcome = CommandOutcome;

class Uploads : public CatalogWorld {
 protected:
  CommandVerdict apply(CatalogChange change) { return put(std::move(change)).value(); }
  static PutDataset day(const std::string& checksum, DatasetType type = DatasetType::kItems) {
    return {{"day.csv", type, checksum, 100, 9, 1}};
  }
  std::string labels(const char* user) {
    const auto notes = store_->person_notes();
    const auto* note = notes->find(user);
    std::string all;
    if (note == nullptr) return "none";
    for (const auto& label : (*note)->labels) all += label + ";";
    return all;
  }
};

TEST_F(Uploads, DatasetsAreNumberedByTypeAndChecksum) {
  EXPECT_EQ(apply(day("a")), (CommandVerdict{Outcome::kCreated, 1}));
  EXPECT_EQ(apply(day("b")), (CommandVerdict{Outcome::kCreated, 2}));
  EXPECT_EQ(apply(day("a")), (CommandVerdict{Outcome::kReplaced, 1}));
  EXPECT_EQ(apply(day("a", DatasetType::kUsers)), (CommandVerdict{Outcome::kCreated, 3}));
  EXPECT_EQ(apply(DeleteDataset{2}).outcome, Outcome::kDeleted);
  EXPECT_EQ(apply(DeleteDataset{2}).outcome, Outcome::kNotFound);
  EXPECT_EQ(apply(day("b")), (CommandVerdict{Outcome::kCreated, 4})) << "never a number twice";
  EXPECT_EQ(store_->datasets()->at(1).created, 1'000) << "of the first upload";
}

TEST_F(Uploads, WhatIsSaidOfAPersonGoesWithThem) {
  EXPECT_EQ(apply(DescribePerson{UserId("ann"), {{"vip"}, {"Drama"}, "{}"}}).outcome,
            Outcome::kCreated);
  EXPECT_EQ(apply(DescribePerson{UserId("ann"), {{"old", "vip"}, {}, ""}}).outcome,
            Outcome::kReplaced);
  apply(DescribePerson{UserId("bob"), {{"new"}, {}, ""}});
  EXPECT_EQ(labels("ann"), "old;vip;");
  apply(DemandErase{UserId("ann")});
  EXPECT_EQ(labels("ann"), "none");
  EXPECT_EQ(labels("bob"), "new;");
}

TEST_F(Uploads, BlendsHaveVersions) {
  EXPECT_EQ(store_->blend()->version, 0u);
  const Blend first{{{0, 1, 60, {{"linear", 500'000}}}}};
  const Blend second{{{2, 0, 90, {{"linear", 700'000}, {"session", 1}}}}};
  EXPECT_EQ(apply(PutBlend{first}), (CommandVerdict{Outcome::kCreated, 1}));
  EXPECT_EQ(apply(PutBlend{second}), (CommandVerdict{Outcome::kReplaced, 2}));
  ASSERT_TRUE(store_->commit());
  open();
  EXPECT_EQ(store_->blend()->blend, second);
  EXPECT_EQ(store_->blend()->version, 2u);
  EXPECT_EQ(store_->blend()->created, 1'001);
}

TEST_F(Uploads, ARestartFindsTheSame) {
  apply(day("a"));
  apply(day("b"));
  apply(DeleteDataset{2});
  apply(DescribePerson{UserId("ann"), {{"vip"}, {"Drama", "Noir"}, R"({"age":"34"})"}});
  apply(DescribePerson{UserId("bob"), {{"new"}, {}, ""}});
  apply(DemandErase{UserId("bob")});
  ASSERT_TRUE(store_->commit());
  const auto digest = store_->digest();
  open();
  EXPECT_EQ(store_->digest(), digest);
  EXPECT_EQ(store_->scan_digest().value(), digest);
  EXPECT_EQ(store_->datasets()->size(), 1u);
  EXPECT_EQ(store_->datasets()->at(1).dataset, day("a").dataset);
  const auto notes = store_->person_notes();
  EXPECT_EQ(**notes->find("ann"), (PersonNote{{"vip"}, {"Drama", "Noir"}, R"({"age":"34"})"}));
  EXPECT_EQ(labels("bob"), "none");
  EXPECT_EQ(apply(day("c")).number, 3u);
}

}  // namespace
}  // namespace millrace::state
