// What applying makes of an experiment's answers and of what people do about them.
#include "processors/experiments/exposure.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "processors/apply.h"
#include "schemas/interaction_table.h"
#include "tests/state/store_fixture.h"

namespace millrace::processors {
namespace {

constexpr UnixMillis kNow = 1'790'000'000'000;

// One person on a partition of its own.
class Exposure : public ::testing::Test {
 protected:
  Exposure() { home_->applied().log_time = kNow; }

  state::Person& person() { return home_->change_person("ann"); }
  // An answer becomes the person's newest, as Applier does it.
  void show(const std::string& recommendation, const std::vector<std::string>& items,
            const std::string& experiment = "e1", const std::vector<bool>& second = {},
            std::uint32_t arm = 1) {
    Impression impression{recommendation, UserId("ann"), "feed", 0, 0, {}, {},
                          experiment,     arm,           second};
    for (const auto& item : items) impression.items.emplace_back(item);
    auto& served = person().served;
    if (served.size() == state::kServedKept) served.erase(served.begin());
    served.push_back({record_hash(recommendation), 0, "feed"});
    if (!experiment.empty()) expose(home_.store(), person(), impression);
  }
  void act(BuiltIn type, const std::string& item, const std::string& recommendation = {}) {
    InteractionView interaction;
    interaction.user = "ann";
    interaction.item = item;
    interaction.type_number = static_cast<std::uint32_t>(type);
    interaction.recommendation_id = recommendation;
    credit(home_.store(), person(), interaction, type == BuiltIn::kClick);
  }
  state::ArmSums sums(const std::string& experiment = "e1", std::size_t arm = 1) {
    const auto all = home_->trials().read(state::experiment_key(experiment));
    return arm < all.size() ? all[arm] : state::ArmSums();
  }

  state::StoreHome home_;
};

TEST_F(Exposure, APersonIsCountedOnceAndEachOfTheirAnswers) {
  show("r1", {"a"});
  show("r2", {"a"});
  EXPECT_EQ(sums().people, 1u);
  EXPECT_EQ(sums().exposures, 2u);
  EXPECT_EQ(sums().exposures_squared, 4u);
  show("r3", {"a"}, "e1", {}, 0);
  EXPECT_EQ(sums().exposures, 3u) << "nobody changes the variant";
  show("r4", {"a"}, "");
  show("r5", {"a"}, "e2");
  EXPECT_EQ(sums().exposures, 3u);
  EXPECT_EQ(sums("e2").people, 1u);
}

TEST_F(Exposure, AnAnswerIsClickedOnceWhateverOfItIs) {
  show("r1", {"a", "b"});
  show("r2", {"b", "c"});
  act(BuiltIn::kClick, "a", "r1");
  act(BuiltIn::kClick, "b", "r1");
  EXPECT_EQ(sums().clicks, 1u);
  act(BuiltIn::kClick, "b");
  EXPECT_EQ(sums().clicks, 2u) << "of the newest answer that shows it";
  act(BuiltIn::kClick, "b");
  act(BuiltIn::kClick, "z");
  act(BuiltIn::kClick, "b", "r9");
  EXPECT_EQ(sums().clicks, 2u);
  EXPECT_EQ(sums().clickers, 1u);
  EXPECT_EQ(sums().exposures_clicks, 4u);
  act(BuiltIn::kLike, "c", "r2");
  EXPECT_EQ(sums().conversions, 0u);
}

TEST_F(Exposure, APurchaseCountsForADay) {
  act(BuiltIn::kPurchase, "a");
  show("r1", {"a"});
  act(BuiltIn::kPurchase, "z");
  home_->applied().log_time += state::kTrialWindowMs;
  act(BuiltIn::kPurchase, "z");
  EXPECT_EQ(sums().conversions, 2u);
  EXPECT_EQ(sums().converters, 1u);
  home_->applied().log_time += 1;
  act(BuiltIn::kPurchase, "z");
  act(BuiltIn::kClick, "a", "r1");
  EXPECT_EQ(sums().conversions, 2u);
  EXPECT_EQ(sums().clicks, 0u);
}

TEST_F(Exposure, OfInterleavingEachItemCountsForWhoPutItThere) {
  show("r1", {"a", "b", "c"}, "e1", {false, true, true}, 0);
  act(BuiltIn::kClick, "a", "r1");
  act(BuiltIn::kClick, "a", "r1");
  EXPECT_EQ(sums("e1", 0).prefer_first, 1u);
  act(BuiltIn::kClick, "b");
  act(BuiltIn::kClick, "c", "r1");
  EXPECT_EQ(sums("e1", 0).first_credits, 1u);
  EXPECT_EQ(sums("e1", 0).second_credits, 2u);
  EXPECT_EQ(sums("e1", 0).prefer_first, 0u);
  EXPECT_EQ(sums("e1", 0).prefer_second, 1u);
  EXPECT_EQ(sums("e1", 0).credits_squared, 1u);
  show("r2", {"b"}, "e1", {true}, 0);
  act(BuiltIn::kClick, "b");
  EXPECT_EQ(sums("e1", 0).second_credits, 3u) << "once an answer";
}

TEST_F(Exposure, WhatIsRememberedIsBounded) {
  std::vector<std::string> items;
  for (int i = 0; i < 50; ++i) items.push_back("item" + std::to_string(i));
  show("r1", items);
  EXPECT_EQ(person().served.back().shown.size(), state::kShownKept);
  act(BuiltIn::kClick, "item40");
  EXPECT_EQ(sums().clicks, 0u);
  act(BuiltIn::kClick, "item40", "r1");
  EXPECT_EQ(sums().clicks, 1u) << "whoever names the answer need not be looked for";
  for (std::size_t i = 0; i < state::kTrialsKept; ++i) show("x", {"a"}, "more" + std::to_string(i));
  EXPECT_EQ(person().trials.size(), state::kTrialsKept);
  EXPECT_EQ(sums().people, 1u) << "what is no longer remembered stays counted";
}

}  // namespace
}  // namespace millrace::processors
