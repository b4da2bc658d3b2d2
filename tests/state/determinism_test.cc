#include "tests/state/store_fixture.h"

// The same records give the same bytes, wherever publishes, commits, evictions and restarts fall.

namespace millrace::state {
namespace {

constexpr std::int64_t kRetention = 20'000'000;

// What the straight run gives.
struct Expected {
  std::map<std::string, std::string> facts;
  Digest digest;
};

Expected run_straight(const std::vector<TestRecord>& log) {
  StoreHome home;
  for (const TestRecord& record : log) apply_record(home.store(), record, kRetention);
  home.commit();
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  return {facts_of(home.store()), home->digest().second};
}

class Determinism : public testing::TestWithParam<int> {};

TEST_P(Determinism, CommitsLeaveNoTrace) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  const auto log = make_log(seed, 1200);
  const Expected expected = run_straight(log);
  ASSERT_GT(expected.facts.size(), 30u);

  std::mt19937_64 random(seed + 100);
  StoreHome home(/*cache_bytes=*/random() % 2 == 0 ? 1 : 64u << 20);
  std::vector<std::shared_ptr<const Commit>> waiting;
  const auto write_all = [&] {
    for (auto& commit : waiting) home.write(commit);
    waiting.clear();
  };
  for (std::size_t i = 0; i < log.size(); ++i) {
    const std::string_view user = log[i].user;
    if (random() % 2 == 0) {
      const state::Expected asked{user, {}};
      ASSERT_TRUE(home->prefetch(std::span(&asked, 1)));
    }
    apply_record(home.store(), log[i], kRetention);
    const auto dice = random() % 100;
    if (dice < 40) home->publish();
    if (dice < 12) {
      if (auto commit = home->freeze()) waiting.push_back(std::move(commit));
    }
    if (dice < 6) {
      write_all();
      ASSERT_EQ(home->digest().second, *home->scan_digest());
    }
    if (dice == 0) {
      // Killed: whatever is not written is gone, and the log is read again from there.
      waiting.clear();
      home.reopen();
      ASSERT_EQ(home->digest().second, *home->scan_digest());
      const Offset next = home->published().next_offset;
      ASSERT_LE(next, log[i].offset + 1);
      i = static_cast<std::size_t>(next) - 1;
    }
  }
  home->publish();
  if (auto commit = home->freeze()) waiting.push_back(std::move(commit));
  write_all();
  EXPECT_EQ(home->freeze(), nullptr) << "nothing has changed since";
  EXPECT_EQ(home->digest().second.text(), expected.digest.text());
  EXPECT_EQ(facts_of(home.store()), expected.facts);
  EXPECT_EQ(home->digest().second, *home->scan_digest());
  EXPECT_EQ(home->digest().first, static_cast<Offset>(log.size()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Determinism, testing::Range(1, 7));

}  // namespace
}  // namespace millrace::state
