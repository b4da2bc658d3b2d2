#include "state/duplicates.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace millrace::state {
namespace {

Identity id(std::uint64_t n) { return identity_of("user", "test", std::to_string(n)); }

TEST(Duplicates, IdentityKeepsItsPartsApart) {
  EXPECT_NE(identity_of("a", "bc", "d"), identity_of("ab", "c", "d"));
  EXPECT_NE(identity_of("", "a", ""), identity_of("a", "", ""));
  EXPECT_EQ(identity_of("a", "b", "c"), identity_of("a", "b", "c"));
}

TEST(Duplicates, RemembersTheFirstVerdict) {
  Duplicates seen;
  EXPECT_EQ(seen.find(id(1), 0), std::nullopt);
  seen.add(id(1), {7, 100, Verdict::kDeadLetter});
  const auto first = seen.find(id(1), 200);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->offset, 7);
  EXPECT_EQ(first->log_time, 100);
  EXPECT_EQ(first->verdict, Verdict::kDeadLetter);
  const auto fresh = seen.take_new();
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].identity, id(1));
  EXPECT_TRUE(seen.take_new().empty());
}

TEST(Duplicates, AgeEndsExactly) {
  Duplicates seen;
  seen.set_window(10, 1000);
  seen.add(id(1), {0, 5000, Verdict::kApplied});
  EXPECT_TRUE(seen.find(id(1), 6000));
  EXPECT_FALSE(seen.find(id(1), 6001));
  seen.forget_beyond(6000);
  EXPECT_TRUE(seen.find(id(1), 6000));
  seen.forget_beyond(6001);
  EXPECT_FALSE(seen.find(id(1), 6000)) << "log time never falls: it has been dropped";
}

TEST(Duplicates, CountEndsExactly) {
  Duplicates seen;
  seen.set_window(3, 1'000'000);
  for (std::uint64_t i = 0; i < 3; ++i) seen.add(id(i), {0, 0, Verdict::kApplied});
  EXPECT_TRUE(seen.find(id(0), 0));
  EXPECT_EQ(seen.oldest(), 0u);
  seen.add(id(3), {0, 0, Verdict::kApplied});
  EXPECT_FALSE(seen.find(id(0), 0));
  EXPECT_TRUE(seen.find(id(1), 0));
  EXPECT_EQ(seen.oldest(), 1u);
  EXPECT_EQ(seen.added(), 4u);
}

TEST(Duplicates, ANarrowerWindowLetsGoForGood) {
  Duplicates seen;
  seen.set_window(100, 1000);
  for (std::uint64_t i = 0; i < 10; ++i) seen.add(id(i), {0, 100, Verdict::kApplied});
  seen.set_window(2, 1000);
  EXPECT_FALSE(seen.find(id(0), 100));
  seen.set_window(100, 1000);
  EXPECT_FALSE(seen.find(id(0), 100)) << "gone once, gone always";
  EXPECT_TRUE(seen.find(id(9), 100));
  EXPECT_EQ(seen.floor().sequence, 8u);

  seen.set_window(100, 10);
  seen.add(id(20), {0, 200, Verdict::kApplied});
  seen.set_window(100, 1000);
  EXPECT_FALSE(seen.find(id(9), 200));
  EXPECT_TRUE(seen.find(id(20), 200));
}

// The window by its definition, over everything ever added.
struct Model {
  std::vector<Duplicates::Entry> all;
  std::uint64_t max_ids = 200;
  std::int64_t max_age_ms = 500;
  std::optional<Offset> find(const Identity& identity, UnixMillis now) const {
    for (std::size_t s = all.size(); s-- > 0;) {
      if (s + max_ids < all.size()) break;
      if (!(all[s].identity == identity)) continue;
      if (now - all[s].first.log_time > max_age_ms) return std::nullopt;
      return all[s].first.offset;
    }
    return std::nullopt;
  }
};

TEST(Duplicates, BehaveAsTheDefinitionWheneverTheyForget) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    std::mt19937_64 random(seed);
    Duplicates seen;
    Model model;
    seen.set_window(model.max_ids, model.max_age_ms);
    UnixMillis now = 1'700'000'000'000;
    for (Offset offset = 0; offset < 5000; ++offset) {
      now += static_cast<UnixMillis>(random() % 6);
      const Identity identity = id(random() % 400);
      const auto found = seen.find(identity, now);
      const auto expected = model.find(identity, now);
      ASSERT_EQ(found.has_value(), expected.has_value()) << seed << " " << offset;
      if (found) {
        ASSERT_EQ(found->offset, *expected);
      }
      if (!found) {
        seen.add(identity, {offset, now, Verdict::kApplied});
        model.all.push_back({identity, {offset, now, Verdict::kApplied}});
      }
      if (random() % 50 < seed) seen.forget_beyond(now);
    }
  }
}

TEST(Duplicates, StaySmall) {
  Duplicates seen;
  seen.set_window(100'000, INT64_MAX);
  for (std::uint64_t i = 0; i < 400'000; ++i) {
    seen.add({i * 0x9e3779b97f4a7c15, i * 0xc2b2ae3d27d4eb4f}, {0, 0, Verdict::kApplied});
    if (i % 1000 == 0) seen.forget_beyond(0), seen.take_new();
  }
  seen.forget_beyond(0);
  seen.take_new();
  EXPECT_LT(seen.memory_bytes(), 100'000u * 50);
}

TEST(Duplicates, ReadersAskBesideTheWriter) {
  Duplicates seen;
  seen.set_window(1000, 1000);
  std::atomic<bool> done{false};
  std::jthread reader([&] {
    for (std::uint64_t i = 0; !done; ++i) {
      const auto first = seen.find(id(i % 5000), 0);
      if (first && first->offset != static_cast<Offset>(i % 5000)) ADD_FAILURE() << i;
    }
  });
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    seen.add(id(i % 5000), {static_cast<Offset>(i % 5000), 0, Verdict::kApplied});
    if (i % 100 == 0) seen.forget_beyond(0);
  }
  done = true;
}

}  // namespace
}  // namespace millrace::state
