// Tracked rows against a plain account of them: rows, sums, retention, erasure, commits.
#include "state/tracked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "schemas/interaction_table.h"
#include "state/history.h"
#include "state/keys.h"
#include "tests/state/store_fixture.h"

namespace millrace::state {
namespace {

constexpr auto kLike = static_cast<std::uint32_t>(BuiltIn::kLike);
constexpr auto kRate = static_cast<std::uint32_t>(BuiltIn::kRate);
constexpr UnixMillis kStart = 1'700'000'000'000;
const std::vector<TypeRetention> kRetention = {{kLike, 3 * kDayMs}, {kRate, 20 * kDayMs + 5'000}};

std::int64_t keep_ms(std::uint32_t type) {
  for (const auto& keep : kRetention) {
    if (keep.type == type) return keep.ms;
  }
  return 0;
}

// A partition in which people track, and what must come of it.
class World {
 public:
  explicit World(std::uint64_t seed, std::size_t cache_bytes) : random_(seed), home_(cache_bytes) {}

  void step() {
    time_ += static_cast<UnixMillis>(below(4'000'000));
    const auto user = "user " + std::to_string(below(3));
    const auto dice = below(100);
    if (dice < 2) {
      home_->erase_person(user);
      model_[user].clear();
    } else if (dice < 6) {
      home_->expire_tracked(user, offset_, time_, kRetention);
      std::erase_if(model_[user], [&](const TrackedRow& row) {
        const auto keep = keep_ms(row.type);
        return keep > 0 && (row.created / kDayMs + 1) * kDayMs <= time_ - keep;
      });
    } else {
      track(user);
    }
    home_->applied().next_offset = ++offset_;
    if (below(5) == 0) home_->publish();
    if (below(12) == 0) {
      home_.commit();
      EXPECT_EQ(home_->digest().second.text(), home_->scan_digest()->text());
    }
    if (below(60) == 0) {
      home_.commit();
      home_.reopen();
    }
  }

  void check() {
    home_->publish();
    for (auto& [user, rows] : model_) {
      const auto reader = home_->tracked(user);
      ASSERT_TRUE(reader);
      for (int i = 0; i < 6; ++i) check(*reader, rows, query());
    }
  }

  StoreHome& home() { return home_; }
  UnixMillis time() const { return time_; }
  std::map<std::string, std::vector<TrackedRow>>& model() { return model_; }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void track(const std::string& user) {
    static const std::uint32_t types[] = {1, kLike, kRate, 10};
    const std::string item = (below(2) == 0 ? "movie:" : "content:") + std::to_string(below(40));
    InteractionView view;
    view.source = kTrackedSource;
    view.user = user;
    view.item = item;
    view.type_number = types[below(4)];
    view.weight = static_cast<std::int32_t>(below(9)) - 4;
    if (below(2) == 0) view.value_centi = static_cast<std::int32_t>(1 + below(10)) * 50;
    if (below(2) == 0) view.duration_s = static_cast<std::uint32_t>(below(1000));
    if (below(2) == 0) view.mood_intensity = static_cast<std::uint32_t>(1 + below(10));
    if (below(2) == 0) view.mood = "calm";
    const auto number = home_->number_of(item);
    const bool fresh = home_->person(user) == nullptr;
    auto& person = home_->change_person(user);
    if (fresh) person.born = offset_;
    ++person.events;
    home_->track(person, offset_, time_, view, number, keep_ms(view.type_number));
    enter(model_[user], view, number);
  }

  void enter(std::vector<TrackedRow>& rows, const InteractionView& view, ItemNumber item) {
    TrackedRow row;
    row.id = offset_;
    row.created = row.updated = time_;
    row.type = view.type_number;
    row.item = item;
    row.weight = view.weight;
    row.value_centi = view.value_centi;
    row.duration_s = view.duration_s;
    row.intensity = view.mood_intensity;
    row.mood = view.mood;
    const auto before = std::find_if(rows.begin(), rows.end(), [&](const TrackedRow& known) {
      return known.item == item && known.type == row.type;
    });
    if (before != rows.end()) {
      const auto keep = keep_ms(row.type);
      if (keep == 0 || before->created >= time_ - keep) {
        row.id = before->id;
        row.created = before->created;
      }
      rows.erase(before);
    }
    rows.push_back(row);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
  }

  TrackedQuery query() {
    TrackedQuery query;
    query.now = time_;
    if (below(2) == 0) query.type = below(2) == 0 ? kLike : 1;
    if (below(2) == 0) query.from = kStart + static_cast<UnixMillis>(below(60 * kDayMs));
    if (below(2) == 0) query.to = query.from + static_cast<UnixMillis>(below(60 * kDayMs));
    if (below(2) == 0) query.retention = kRetention;
    return query;
  }

  void check(const TrackedReader& reader, const std::vector<TrackedRow>& rows,
             const TrackedQuery& query) {
    std::vector<TrackedRow> wanted;
    std::vector<TrackedSums> sums;
    for (const auto& row : rows) {
      if (query.type != 0 && row.type != query.type) continue;
      if (row.created < query.from || row.created > query.to) continue;
      const auto keep = query.retention.empty() ? 0 : keep_ms(row.type);
      if (keep > 0 && row.created < query.now - keep) continue;
      wanted.push_back(row);
      contribute(sums, row, kind_of_id(reader.item(row)), 1);
    }
    auto got = reader.sums(query);
    ASSERT_TRUE(got);
    ASSERT_EQ(got->size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      auto same = (*got)[i];
      if (query.retention.empty()) {  // a day's ends may be those of rows that have gone since
        EXPECT_LE(std::exchange(same.first, sums[i].first), sums[i].first);
        EXPECT_LE(std::exchange(same.earliest, sums[i].earliest), sums[i].earliest);
        EXPECT_GE(std::exchange(same.latest, sums[i].latest), sums[i].latest);
      }
      EXPECT_EQ(same, sums[i]);
    }
    const auto skip = below(wanted.size() + 2), limit = below(10);
    const auto page = reader.page(query, *got, skip, limit);
    ASSERT_TRUE(page);
    wanted.erase(wanted.begin(),
                 wanted.begin() + static_cast<std::ptrdiff_t>(std::min(skip, wanted.size())));
    wanted.resize(std::min<std::size_t>(wanted.size(), limit));
    EXPECT_EQ(*page, wanted);
  }

  std::mt19937_64 random_;
  StoreHome home_;
  Offset offset_ = 0;
  UnixMillis time_ = kStart;
  std::map<std::string, std::vector<TrackedRow>> model_;
};

TEST(Tracked, RowsAndSumsAreThoseOfAPlainAccount) {
  for (const std::size_t cache_bytes : {std::size_t{64} << 20, std::size_t{1}}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(seed);
      World world(seed, cache_bytes);
      for (int i = 0; i < 1'500; ++i) {
        world.step();
        if (i % 50 == 0) world.check();
        if (::testing::Test::HasFailure()) return;
      }
      world.home().commit();
      world.home().reopen();
      world.check();
    }
  }
}

TEST(Tracked, WhoIsErasedOrBeyondRetentionIsGoneFromTheDatabase) {
  World world(9, 64u << 20);
  for (int i = 0; i < 400; ++i) world.step();
  auto& home = world.home();
  const auto rows_of = [&](const std::string& user) {
    std::size_t rows = 0;
    for (const auto& prefix :
         {keys::tracked_rows(user), keys::tracked_places(user), keys::tracked_sums(user)}) {
      EXPECT_TRUE(home->db().scan(prefix, {}, [&](std::string_view, std::string_view) {
        ++rows;
        return true;
      }));
    }
    return rows;
  };
  home.commit();
  ASSERT_GT(rows_of("user 0"), 0u);
  home->erase_person("user 0");
  ++home->applied().next_offset;
  home.commit();
  EXPECT_EQ(rows_of("user 0"), 0u);

  std::vector<TypeRetention> all;
  for (const std::uint32_t type : {1u, kLike, 10u, kRate}) all.push_back({type, kDayMs});
  const auto later = world.time() + 3 * kDayMs;
  EXPECT_EQ(home->people_to_expire(later, {}, 10)->size(), 0u);
  ASSERT_EQ(*home->people_to_expire(later, all, 10),
            (std::vector<std::string>{"user 1", "user 2"}));
  EXPECT_EQ(home->people_to_expire(later, all, 1)->size(), 1u);
  home->expire_tracked("user 1", home->applied().next_offset++, later, all);
  home.commit();
  EXPECT_EQ(rows_of("user 1"), 0u);
  EXPECT_GT(rows_of("user 2"), 0u);
  EXPECT_EQ(home->digest().second.text(), home->scan_digest()->text());
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(MILLRACE_SOURCE_DIR) + "/tests/state/golden/" + name + ".bin",
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Tracked, StoredBytesAreWhatTheyWere) {
  const TrackedRow row{7,   kStart, kStart + 5'000, kRate, 3,         -4,
                       450, 120,    "calm",         8,     "at home", "good"};
  EXPECT_EQ(encode(row), golden("tracked_row"));
  EXPECT_EQ(*decode_tracked_row(golden("tracked_row"), 7), row);
  std::vector<TrackedSums> sums;
  contribute(sums, row, "movie", 1);
  EXPECT_EQ(encode(sums), golden("tracked_week"));
  EXPECT_EQ(*decode_tracked_sums(golden("tracked_week")), sums);
}

TEST(Tracked, BytesThatNoWriterHasWrittenAreCorrupt) {
  EXPECT_FALSE(decode_tracked_row("\xff", 1));
  EXPECT_FALSE(decode_tracked_sums("\xff"));
  TrackedRow row;
  row.created = kStart;
  row.intensity = 3;
  std::vector<TrackedSums> sums;
  contribute(sums, row, "movie", 1);
  const auto bytes = encode(sums);
  EXPECT_EQ(*decode_tracked_sums(bytes), sums);
  EXPECT_EQ(*decode_tracked_row(encode(row), 0), row);
  EXPECT_FALSE(decode_tracked_sums(bytes.substr(7))) << "no kind";
  EXPECT_FALSE(decode_tracked_sums(bytes.substr(0, bytes.size() - 1)));
  contribute(sums, row, "movie", -1);
  EXPECT_TRUE(sums.empty()) << "what is taken away leaves nothing";
}

}  // namespace
}  // namespace millrace::state
