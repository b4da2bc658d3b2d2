#include "app/import_run.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "schemas/event_json.h"
#include "schemas/item_json.h"
#include "tests/support/temp_dir.h"

namespace millrace::app {
namespace {

// A server's part in an import: knows items by id, and events by source and id.
class RememberingTarget final : public Target {
 public:
  void fail_after(int requests) { left_ = requests; }
  void forget() {
    events_.clear();
    items_.clear();
  }
  const std::set<std::string>& events() const { return events_; }
  const std::set<std::string>& items() const { return items_; }
  const std::vector<std::size_t>& batches() const { return batches_; }

  std::string name() const override { return "memory"; }

  Result<HttpReply> send(const HttpRequest& request) override {
    if (left_-- == 0) return fail(Code::kUnavailable, "gone");
    const bool events = request.target == "/v1/events?wait=applied";
    EXPECT_TRUE(events || request.target == "/v1/items") << request.target;
    return HttpReply{200, {}, events ? take_events(request.body) : take_items(request.body)};
  }

 private:
  std::string take_events(const std::string& body) {
    const auto outcomes = parse_events(body, BodyKind::kNdjson).value();
    batches_.push_back(outcomes.size());
    std::size_t accepted = 0, duplicates = 0;
    std::string rejected;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto& event = outcomes[i].event;
      if (!event.has_value() || event->type == "forbidden") {
        rejected += (rejected.empty() ? "" : ",") + rejection(i);
      } else if (events_.insert(event->source + " " + event->id).second) {
        ++accepted;
      } else {
        ++duplicates;
      }
    }
    return "{\"accepted\":" + std::to_string(accepted) +
           ",\"duplicates\":" + std::to_string(duplicates) + ",\"rejected\":[" + rejected + "]}";
  }

  std::string take_items(const std::string& body) {
    const auto outcomes = parse_items(body, BodyKind::kNdjson).value();
    std::size_t created = 0;
    for (const auto& outcome : outcomes) created += items_.insert(outcome.id).second ? 1 : 0;
    return "{\"created\":" + std::to_string(created) +
           ",\"replaced\":" + std::to_string(outcomes.size() - created) + ",\"rejected\":[]}";
  }

  static std::string rejection(std::size_t index) {
    return "{\"index\":" + std::to_string(index) +
           ",\"id\":\"\",\"field\":\"type\",\"error\":\"is forbidden\"}";
  }

  int left_ = -1;
  std::set<std::string> events_;
  std::set<std::string> items_;
  std::vector<std::size_t> batches_;
};

class RowsReader final : public ingest::ImportReader {
 public:
  explicit RowsReader(std::vector<ingest::ImportRow> rows) : rows_(std::move(rows)) {}
  std::optional<ingest::ImportRow> next() override {
    if (at_ == rows_.size()) return std::nullopt;
    return rows_[at_++];
  }
  double progress() const override { return 0.5; }

 private:
  std::vector<ingest::ImportRow> rows_;
  std::size_t at_ = 0;
};

ingest::ImportPart part_of(ingest::ImportKind kind, std::vector<ingest::ImportRow> rows) {
  return {"rows", kind, {}, [rows]() -> Result<std::unique_ptr<ingest::ImportReader>> {
            return std::make_unique<RowsReader>(rows);
          }};
}

ingest::ImportRow event_row(int number, const std::string& type = "view") {
  return {"rows", static_cast<std::uint64_t>(number),
          R"({"id":")" + std::to_string(number) + R"(","source":"s","type":")" + type +
              R"(","data":{"user":"u","item":"i"}})"};
}

std::vector<ingest::ImportPart> parts(int events) {
  std::vector<ingest::ImportRow> items, rows;
  for (int i = 1; i <= 3; ++i) {
    items.push_back({"items", static_cast<std::uint64_t>(i),
                     R"({"id":"movie:)" + std::to_string(i) + R"(","title":"t"})"});
  }
  for (int i = 1; i <= events; ++i) rows.push_back(event_row(i));
  return {part_of(ingest::ImportKind::kItems, items), part_of(ingest::ImportKind::kEvents, rows)};
}

class ImportRun : public testing::Test {
 protected:
  ImportOptions options(std::size_t batch) {
    ImportOptions made;
    made.batch_rows = batch;
    made.fingerprint = "this one";
    made.resume = resume_;
    made.on_failure = [this](const RowFailure& failure) { failures_.push_back(failure.text()); };
    made.on_note = [this](const std::string& note) { notes_.push_back(note); };
    return made;
  }

  TempDir folder_;
  ResumeFile resume_{(folder_.path() / "deep" / "mark.json").string()};
  RememberingTarget target_;
  std::vector<std::string> failures_;
  std::vector<std::string> notes_;
};

TEST_F(ImportRun, SendsAllInBatchesAndASecondTimeAllAreDuplicates) {
  const auto first = run_import(target_, parts(10), options(4));
  ASSERT_TRUE(first.has_value()) << first.error().detail;
  EXPECT_EQ(first->totals, (ImportTotals{3, 0, 10, 0, 0}));
  EXPECT_EQ(target_.batches(), (std::vector<std::size_t>{4, 4, 2}));
  EXPECT_FALSE(resume_.load().has_value());
  EXPECT_EQ(run_import(target_, parts(10), options(4))->totals, (ImportTotals{0, 3, 0, 10, 0}));
}

TEST_F(ImportRun, BadRowsAreToldByLineWhoeverFindsThem) {
  std::vector<ingest::ImportRow> rows{event_row(1), event_row(2, "forbidden"), event_row(3)};
  rows.insert(rows.begin(), {"rows", 9, fail(Code::kInvalid, "must be a number", "rating")});
  const auto outcome =
      run_import(target_, {part_of(ingest::ImportKind::kEvents, rows)}, options(10));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->totals, (ImportTotals{0, 0, 2, 0, 2}));
  EXPECT_EQ(failures_, (std::vector<std::string>{"rows:9: rating: must be a number",
                                                 "rows:2: type: is forbidden"}));
}

TEST_F(ImportRun, GoesOnWhereItBroke) {
  target_.fail_after(3);  // the items and two batches
  EXPECT_EQ(run_import(target_, parts(10), options(3)).error().code, Code::kUnavailable);
  EXPECT_EQ(resume_.load()->rows, 6u);
  target_.fail_after(-1);
  const auto outcome = run_import(target_, parts(10), options(3));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->resumed_at, 6u);
  EXPECT_EQ(outcome->totals, (ImportTotals{3, 0, 10, 0, 0}));
  EXPECT_EQ(target_.events().size(), 10u);
  // The last batch once more, then only what was missing.
  EXPECT_EQ(target_.batches(), (std::vector<std::size_t>{3, 3, 3, 3, 1}));
}

TEST_F(ImportRun, StopsBetweenBatchesWhenAsked) {
  auto asked = options(4);
  asked.stop = [this] { return target_.events().size() >= 4; };
  const auto stopped = run_import(target_, parts(10), asked);
  ASSERT_TRUE(stopped.has_value());
  EXPECT_TRUE(stopped->stopped);
  EXPECT_EQ(target_.events().size(), 4u);
  EXPECT_EQ(run_import(target_, parts(10), options(4))->totals, (ImportTotals{3, 0, 10, 0, 0}));
}

TEST_F(ImportRun, ATargetThatWasEmptiedGetsAllOfIt) {
  target_.fail_after(3);
  ASSERT_FALSE(run_import(target_, parts(10), options(3)).has_value());
  target_.fail_after(-1);
  target_.forget();
  const auto outcome = run_import(target_, parts(10), options(3));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(target_.items().size(), 3u);
  EXPECT_EQ(target_.events().size(), 10u);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("from the start"), std::string::npos);
}

TEST_F(ImportRun, TheMarkOfAnotherImportIsNone) {
  ASSERT_TRUE(resume_.save({"another", 1, 6, 3, {}}).has_value());
  EXPECT_EQ(run_import(target_, parts(10), options(5))->totals, (ImportTotals{3, 0, 10, 0, 0}));
}

TEST_F(ImportRun, AFailureOfAllRowsEndsTheRun) {
  class Refusing final : public Target {
    std::string name() const override { return ""; }
    Result<HttpReply> send(const HttpRequest&) override {
      return HttpReply{401, {}, R"({"detail":"who are you"})"};
    }
  } refusing;
  const auto outcome = run_import(refusing, parts(10), options(5));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, Code::kUnauthorized);
}

TEST(ResumeFile, KeepsTheMark) {
  const TempDir folder;
  const ResumeFile file((folder.path() / "a" / "b.json").string());
  EXPECT_EQ(file.load(), std::nullopt);
  const ImportMark mark{"f", 1, 20, 10, {1, 2, 3, 4, 5}};
  ASSERT_TRUE(file.save(mark).has_value());
  EXPECT_EQ(file.load(), mark);
  file.remove();
  EXPECT_EQ(file.load(), std::nullopt);
}

}  // namespace
}  // namespace millrace::app
