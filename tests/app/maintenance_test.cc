// Tracked rows beyond retention leave the disk, hourly, by Maintenance alone.
#include "app/maintenance.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "processors/expiry.h"
#include "schemas/interaction_table.h"
#include "schemas/record.h"
#include "state/history.h"
#include "state/tracked.h"
#include "tests/support/eventually.h"
#include "tests/support/test_node.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr int kMany = processors::kExpireAtOnce + 1;
constexpr LogPartition kOnly{Topic::kInteractions, 0};

// A node that keeps views for a day.
class MaintenanceExpiry : public ::testing::Test {
 protected:
  static TestNode::Options options() {
    TestNode::Options options;
    options.partitions = 1;
    options.engine.proposed.tracked_retention = {
        {static_cast<std::uint32_t>(BuiltIn::kView), state::kDayMs}};
    return options;
  }
  void begin(int every_ms = std::numeric_limits<int>::max()) {
    Maintenance::Options options;
    options.checkpoints = (folder_.path() / "checkpoints").string();
    options.every_ms = every_ms;
    maintenance_.emplace(options, node_.engine(), node_.log(), node_.clock(), node_.metrics());
  }
  // A row of each of so many people, now and on disk.
  void track(int people) {
    std::vector<ingest::Append> records;
    for (int i = 0; i < people; ++i) {
      Interaction made;
      made.type_number = static_cast<std::uint32_t>(BuiltIn::kView);
      made.weight = 1;
      made.event.source = state::kTrackedSource;
      made.event.id = std::to_string(i);
      made.event.user = UserId("u" + std::to_string(i));
      made.event.item = ItemId("content:1");
      made.event.time = 1;
      const auto user = made.event.user.value;
      records.push_back({kOnly, user, encode(LogRecord{std::move(made)})});
    }
    ASSERT_TRUE(node_.log().append_and_wait(std::move(records)));
    apply();
  }
  void apply() {
    Position end;
    end.include(kOnly, node_.log().end(kOnly) - 1);
    ASSERT_TRUE(node_.engine().publisher().wait_reached(end, 60'000));
    ASSERT_TRUE(node_.engine().commit_all());
  }
  int rows() {
    apply();
    int count = 0;
    EXPECT_TRUE(node_.engine().store(0).db().scan(
        "X", {}, [&](std::string_view, std::string_view) { return ++count > 0; }));
    return count;
  }
  bool expired(int people) {
    return node_.metrics().text().find("\ntracked_expirations_total " + std::to_string(people) +
                                       "\n") != std::string::npos;
  }

  TempDir folder_;
  TestNode node_{options()};
  std::optional<Maintenance> maintenance_;
};

TEST_F(MaintenanceExpiry, IsDueOnceAnHour) {
  begin();
  track(1);
  // Whole days go: the day after the one that the retention ends in.
  node_.clock().set((node_.clock().now() / state::kDayMs + 2) * state::kDayMs - kHour / 2);
  ASSERT_TRUE(maintenance_->expire_if_due());
  EXPECT_EQ(rows(), 1) << "it may stay for half an hour more";
  node_.clock().advance(kHour - 1);
  ASSERT_TRUE(maintenance_->expire_if_due());
  EXPECT_EQ(rows(), 1) << "within the hour nobody looks";
  node_.clock().advance(1);
  ASSERT_TRUE(maintenance_->expire_if_due());
  EXPECT_EQ(rows(), 0);
  EXPECT_TRUE(expired(1));
}

TEST_F(MaintenanceExpiry, GoesOnWhileThereIsMore) {
  begin();
  track(kMany);
  node_.clock().advance(3 * state::kDayMs);
  ASSERT_TRUE(maintenance_->expire_if_due());
  EXPECT_TRUE(expired(kMany - 1)) << "as many as may at once";
  ASSERT_EQ(rows(), 1);
  ASSERT_TRUE(maintenance_->expire_if_due());
  EXPECT_TRUE(expired(kMany));
  EXPECT_EQ(rows(), 0);
}

TEST_F(MaintenanceExpiry, ComesByItself) {
  track(1);
  node_.clock().advance(3 * state::kDayMs);
  begin(1);
  EXPECT_TRUE(eventually([&] { return expired(1); }));
  EXPECT_EQ(rows(), 0);
}

}  // namespace
}  // namespace millrace::app
