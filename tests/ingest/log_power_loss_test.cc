// Power cuts at any moment, on files that keep of unsynced bytes what a device might.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <mutex>
#include <random>

#include "ingest/embedded_log.h"
#include "tests/support/embedded_log_on.h"

namespace millrace::ingest {
namespace {

// Everything appended carries its own number and size, so that a log read back says which appends
// it holds, and how much of each.
class PowerLoss {
 public:
  explicit PowerLoss(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int life = 0; life < 4; ++life) {
      ground_.files.cut_power_after(static_cast<int>(random_() % 40));
      live();
      ground_.files.restart(random_);
      if (testing::Test::HasFailure()) return;
    }
    check(*ground_.open());
  }

 private:
  struct Sent {
    std::map<LogPartition, int> records;
    enum class Outcome { kOpen, kKept, kRefused, kUnknown } outcome = Outcome::kOpen;
  };

  // Opens, checks, and appends until the power is cut.
  void live() {
    auto opened = ground_.try_open();
    if (!opened.has_value()) {
      ASSERT_TRUE(ground_.files.power_is_cut()) << opened.error().detail;
      return;
    }
    const auto log = std::move(*opened);
    check(*log);
    if (testing::Test::HasFailure()) return;
    while (!ground_.files.power_is_cut()) {
      ground_.files.limit_space(random_() % 10 == 0 ? log->size_bytes() + random_() % 3000
                                                    : 1u << 30);
      const int burst = 1 + static_cast<int>(random_() % 5);
      for (int i = 0; i < burst; ++i) send(*log, i + 1 == burst);
      if (random_() % 8 == 0) trim(*log);
    }
    ground_.files.limit_space(1u << 30);
  }

  void send(EmbeddedLog& log, bool wait) {
    const std::size_t id = sent_.size();
    Sent sent;
    std::vector<Append> records;
    const int count = 1 + static_cast<int>(random_() % 6);
    for (int i = 0; i < count; ++i) {
      const LogPartition partition = kPartitions[random_() % std::size(kPartitions)];
      ++sent.records[partition];
      records.push_back(
          {partition, "u",
           std::to_string(id) + " " + std::to_string(i) + " " + std::string(random_() % 900, 'p')});
    }
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back(std::move(sent));
    }
    const auto done = [this, id](const AppendResult& result) {
      const std::lock_guard lock(mutex_);
      using Outcome = Sent::Outcome;
      sent_[id].outcome = result.has_value() ? Outcome::kKept
                          : result.error().detail.find("outcome unknown") != std::string::npos
                              ? Outcome::kUnknown
                              : Outcome::kRefused;
    };
    if (wait) {
      done(log.append_and_wait(std::move(records)));
    } else {
      log.append(std::move(records), done);
    }
  }

  void trim(EmbeddedLog& log) {
    std::vector<std::pair<LogPartition, Offset>> keep;
    for (const auto partition : kPartitions) keep.emplace_back(partition, log.end(partition) / 2);
    (void)log.trim(keep).has_value();  // the power may go in the middle of it
  }

  // All of what was acknowledged is there, unless trimmed; of everything else all or nothing, and
  // nothing of what was reported as refused.
  void check(const EmbeddedLog& log) {
    std::map<std::size_t, std::map<LogPartition, int>> held;
    std::size_t oldest_kept = sent_.size();
    bool trimmed = false;
    for (const auto partition : kPartitions) {
      Offset at = log.start(partition);
      trimmed |= at > 0;
      while (at < log.end(partition)) {
        const auto records = log.read(partition, at, 50, 1u << 20);
        ASSERT_TRUE(records.has_value()) << records.error().detail;
        ASSERT_FALSE(records->empty());
        for (const auto& record : *records) {
          ASSERT_EQ(record.offset, at++);
          const std::size_t id = std::stoul(record.bytes);
          ++held[id][partition];
          oldest_kept = std::min(oldest_kept, id);
        }
      }
    }
    for (std::size_t id = 0; id < sent_.size(); ++id) {
      const Sent& sent = sent_[id];
      // Records before the log's start went with their segment; appends are in order of their ids.
      if (trimmed && id <= oldest_kept) continue;
      const bool there = held.contains(id);
      if (there) {
        ASSERT_EQ(held[id], sent.records) << "append " << id << " is there in part";
      }
      if (sent.outcome == Sent::Outcome::kKept) {
        ASSERT_TRUE(there) << "acknowledged append " << id << " is lost";
      }
      if (sent.outcome == Sent::Outcome::kRefused) {
        ASSERT_FALSE(there) << "refused append " << id << " came back";
      }
    }
  }

  static constexpr LogPartition kPartitions[] = {
      {Topic::kInteractions, 0}, {Topic::kInteractions, 1}, {Topic::kCatalog, 0}};

  std::mt19937_64 random_;
  LogGround ground_;
  std::mutex mutex_;
  std::deque<Sent> sent_;
};

TEST(LogPowerLoss, KeepsEverythingAcknowledgedAndNothingInPart) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PowerLoss(seed).run();
    if (HasFailure()) return;
  }
}

TEST(LogPowerLoss, HoldsForFiftyThousandSeedsLong) {
  for (std::uint64_t seed = 1'000'000; seed < 1'050'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PowerLoss(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace millrace::ingest
