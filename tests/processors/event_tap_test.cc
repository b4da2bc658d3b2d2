#include "processors/event_tap.h"

#include <gtest/gtest.h>

namespace millrace::processors {
namespace {

class Tap : public ::testing::Test {
 protected:
  void push(std::uint16_t partition, Offset offset, const std::string& bytes) {
    TappedBatch batch;
    batch.partition = partition;
    batch.add(offset, 0, bytes);
    batch.end = offset + 1;
    tap_.push(std::move(batch));
  }
  void publish(std::uint16_t partition, Offset end) {
    publisher_.offer({Topic::kInteractions, partition}, end, {}, false);
    publisher_.step();
  }
  std::string taken() {
    std::string all;
    for (const auto& batch : tap_.take(publisher_).batches) all += batch.bytes;
    return all;
  }

  Metrics metrics_;
  EventTap tap_;
  int moved_ = 0;
  Publisher publisher_{2, [](const auto&) {}, metrics_, Drive::kCaller, [this] { ++moved_; }};
};

TEST_F(Tap, GivesWhatIsVisibleInTheOrderOfItsPartition) {
  tap_.open(1'000);
  push(0, 0, "a");
  push(1, 0, "x");
  push(0, 1, "b");
  EXPECT_EQ(taken(), "") << "nothing is visible yet";
  publish(0, 1);
  EXPECT_EQ(taken(), "a");
  publish(0, 2);
  publish(1, 1);
  EXPECT_EQ(taken(), "xb");
  EXPECT_EQ(taken(), "");
  EXPECT_EQ(moved_, 3);
}

TEST_F(Tap, DropsWhatDoesNotFitAndCountsIt) {
  tap_.open(2 * (10 + sizeof(TappedBatch::Record)));
  push(0, 0, "aaaaaaaaaa");
  push(0, 1, "bbbbbbbbbb");
  push(0, 2, "cccccccccc");
  publish(0, 3);
  auto taken = tap_.take(publisher_);
  EXPECT_EQ(taken.batches.size(), 2u);
  EXPECT_EQ(taken.missed, 1u);
  push(0, 3, "dddddddddd");
  publish(0, 4);
  taken = tap_.take(publisher_);
  EXPECT_EQ(taken.batches.size(), 1u) << "there is room again";
  EXPECT_EQ(taken.missed, 0u);
}

TEST_F(Tap, KeepsNothingWhileItIsClosed) {
  push(0, 0, "a");
  tap_.open(1'000);
  push(0, 1, "b");
  tap_.close();
  EXPECT_FALSE(tap_.open());
  push(0, 2, "c");
  tap_.open(1'000);
  publish(0, 3);
  EXPECT_EQ(taken(), "");
}

TEST_F(Tap, RingsItsReaderWhenSomethingIsVisible) {
  tap_.open(1'000);
  push(0, 0, "a");
  tap_.published();
  tap_.wait(std::chrono::minutes(1));  // would go on for so long
}

}  // namespace
}  // namespace millrace::processors
