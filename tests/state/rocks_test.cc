#include "state/rocks.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace millrace::state {
namespace {

class RocksTest : public testing::Test {
 protected:
  std::unique_ptr<Db> open(const std::string& name, Db::Mode mode = Db::Mode::kReadWrite) {
    auto db = Db::open(directory_.path() / name, shared_, mode);
    if (!db) ADD_FAILURE() << db.error().detail;
    return db ? std::move(*db) : nullptr;
  }

  static Status put(Db& db, std::string_view key, std::string_view value) {
    WriteBatch batch;
    batch.put(key, value);
    return db.write(batch);
  }

  TempDir directory_;
  RocksShared shared_{{}};
};

TEST_F(RocksTest, AWriteThatTheWatcherRefusesFailsUntilReopened) {
  auto db = open("a");
  bool full = true;
  db->on_write([&full](std::string_view) -> Status {
    if (full) return fail(Code::kIo, "no space left");
    return {};
  });
  const auto refused = put(*db, "k", "v");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "no space left");
  full = false;
  EXPECT_FALSE(put(*db, "k", "v")) << "as after any failed write";
  ASSERT_TRUE(db->reopen());
  EXPECT_TRUE(put(*db, "k", "v"));
}

TEST_F(RocksTest, InMemoryLastsAsLongAsWhatIsShared) {
  const RocksShared memory({.in_memory = true});
  const auto name = directory_.path() / "nowhere";
  ASSERT_TRUE(put(**Db::open(name, memory), "k", "v"));
  EXPECT_EQ(*(*Db::open(name, memory))->get("k"), "v");
  EXPECT_FALSE(std::filesystem::exists(name));
}

TEST_F(RocksTest, KeepsWhatWasWritten) {
  {
    auto db = open("a");
    WriteBatch batch;
    batch.put("k1", "one");
    batch.put("k2", "two");
    batch.erase("k3");
    EXPECT_EQ(batch.count(), 3u);
    EXPECT_GT(batch.bytes(), 10u);
    ASSERT_TRUE(db->write(batch));
  }
  auto db = open("a");
  EXPECT_EQ(*db->get("k1"), "one");
  EXPECT_EQ(*db->get("k3"), std::nullopt);
  const std::vector<std::string> keys{"k3", "k2", "k1"};
  const auto values = db->multi_get(keys);
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (std::vector<std::optional<std::string>>{std::nullopt, "two", "one"}));
  EXPECT_GT(db->figures().disk_bytes, 0u);
}

TEST_F(RocksTest, ScansAPrefixInOrderFromAKey) {
  auto db = open("a");
  for (const char* key : {"a", "b1", "b3", "b2", "c"}) ASSERT_TRUE(put(*db, key, key));
  std::string seen;
  const auto collect = [&](std::string_view key, std::string_view) {
    seen.append(key).append(" ");
    return true;
  };
  ASSERT_TRUE(db->scan("b", "", collect));
  EXPECT_EQ(seen, "b1 b2 b3 ");
  seen.clear();
  ASSERT_TRUE(db->scan("b", "b2", collect));
  EXPECT_EQ(seen, "b2 b3 ");
  seen.clear();
  ASSERT_TRUE(db->scan("", "", [&](std::string_view key, std::string_view) {
    seen.append(key);
    return key != "b2";
  }));
  EXPECT_EQ(seen, "ab1b2");
}

TEST_F(RocksTest, CheckpointIsADatabaseOfThatInstant) {
  auto db = open("a");
  ASSERT_TRUE(put(*db, "k", "before"));
  const auto copy = directory_.path() / "copy";
  ASSERT_TRUE(db->checkpoint(copy));
  ASSERT_TRUE(put(*db, "k", "after"));
  ASSERT_TRUE(db->sync_wal());
  auto read = open("copy", Db::Mode::kReadOnly);
  EXPECT_EQ(*read->get("k"), "before");
  EXPECT_FALSE(put(*read, "k", "x"));
  EXPECT_FALSE(db->checkpoint(copy)) << "the directory exists";
}

TEST_F(RocksTest, AFailedWriteIsFinal) {
  open("a");
  auto db = open("a", Db::Mode::kReadOnly);
  EXPECT_FALSE(put(*db, "k", "v"));
  const auto again = put(*db, "k", "v");
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().detail.find("reopen"), std::string::npos);
  EXPECT_TRUE(db->get("k"));
}

TEST_F(RocksTest, MissingReadOnlyDatabaseIsAnError) {
  EXPECT_FALSE(Db::open(directory_.path() / "none", shared_, Db::Mode::kReadOnly));
}

TEST_F(RocksTest, FlippedByteIsCorrupt) {
  {
    auto db = open("a");
    WriteBatch batch;
    for (int i = 0; i < 1000; ++i) batch.put("key" + std::to_string(i), std::string(100, 'x'));
    ASSERT_TRUE(db->write(batch));
    ASSERT_TRUE(db->checkpoint(directory_.path() / "copy"));
  }
  for (const auto& file : std::filesystem::directory_iterator(directory_.path() / "copy")) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(100);
    bytes.put('\x55');
  }
  auto db = open("copy");
  const auto status = db->scan("", "", [](std::string_view, std::string_view) { return true; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace millrace::state
