#include "ingest/importers/mapped.h"

#include <gtest/gtest.h>

#include <fstream>

#include "schemas/event_json.h"
#include "schemas/item_json.h"
#include "tests/support/temp_dir.h"

namespace millrace::ingest {
namespace {

class MappedImport : public testing::Test {
 protected:
  std::string file(const std::string& text) {
    const std::string path = (folder_.path() / "rows.txt").string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::vector<ImportRow> rows(const Result<std::vector<ImportPart>>& parts) {
    std::vector<ImportRow> all;
    EXPECT_TRUE(parts.has_value()) << (parts.has_value() ? "" : parts.error().detail);
    if (!parts.has_value()) return all;
    auto reader = parts->at(0).open();
    EXPECT_TRUE(reader.has_value());
    while (auto row = (*reader)->next()) all.push_back(*std::move(row));
    return all;
  }

  Event event(const ImportRow& row) {
    EXPECT_TRUE(row.json.has_value());
    const auto outcomes = parse_events(row.json.value_or(""), BodyKind::kNdjson);
    EXPECT_TRUE(outcomes.has_value() && outcomes->at(0).event.has_value()) << row.json.value_or("");
    return outcomes->at(0).event.value_or(Event{});
  }

  static Mapping mapping(const std::string& columns, const std::string& constants,
                         ImportKind kind = ImportKind::kEvents) {
    Mapping made;
    made.kind = kind;
    made.columns = Mapping::parse_pairs(columns, "map").value();
    made.constants = Mapping::parse_pairs(constants, "set").value();
    return made;
  }

 private:
  TempDir folder_;
};

TEST_F(MappedImport, CsvColumnsAndConstantsBecomeEvents) {
  const auto path = file(
      "userId;contentId;when;duration_s;ignored\nu1;c:1;1700000000;12.5;x\nu2;c:2;;;\nu3;c:3\n");
  const auto read =
      rows(csv_parts(path, mapping("user=userId,item=contentId,time=when", "type=view"), ';'));
  ASSERT_EQ(read.size(), 3u);
  const Event first = event(read[0]);
  EXPECT_EQ(first.user.value, "u1");
  EXPECT_EQ(first.item.value, "c:1");
  EXPECT_EQ(first.type, "view");
  EXPECT_EQ(first.source, "import:csv");
  EXPECT_EQ(first.time, 1'700'000'000'000);
  EXPECT_EQ(first.duration_s, 12u);
  EXPECT_EQ(first.id.size(), 32u);
  EXPECT_EQ(event(read[1]).time, std::nullopt);
  EXPECT_EQ(read[2].line, 4u);
  EXPECT_EQ(read[2].json.error().field, "row");
}

TEST_F(MappedImport, IdsAreTheRowsOwn) {
  const auto path = file("user,item,type\na,b,like\na,b,like\n");
  const auto once = rows(csv_parts(path, {}, ','));
  const auto twice = rows(csv_parts(path, {}, ','));
  ASSERT_EQ(once.size(), 2u);
  EXPECT_EQ(event(once[0]), event(twice[0]));
  EXPECT_NE(event(once[0]).id, event(once[1]).id);  // the same said twice is two events
}

TEST_F(MappedImport, TimesInTheFormsThatFilesHave) {
  const auto path = file(
      "user,item,type,time\na,b,like,1700000000.25\na,b,like,1700000000250\n"
      "a,b,like,2023-11-14 22:13:20\na,b,like,2023-11-14T23:13:20+01:00\na,b,like,2023-11-14\n"
      "a,b,like,yesterday\na,b,like,99999999999\n");
  const auto read = rows(csv_parts(path, {}, ','));
  ASSERT_EQ(read.size(), 7u);
  EXPECT_EQ(event(read[0]).time, 1'700'000'000'250);
  EXPECT_EQ(event(read[1]).time, 1'700'000'000'250);
  EXPECT_EQ(event(read[2]).time, 1'700'000'000'000);
  EXPECT_EQ(event(read[3]).time, 1'700'000'000'000);
  EXPECT_EQ(event(read[4]).time, 1'699'920'000'000);
  EXPECT_NE(read[5].json->find("\"yesterday\""),
            std::string::npos);  // the server says what is wrong
  EXPECT_NE(read[6].json->find("\"99999999999\""), std::string::npos);
}

TEST_F(MappedImport, CsvRowsBecomeItems) {
  const auto path = file(
      "sku,title,tags,cost,hidden,maker\n"
      "7,\"Chair, red\",wood | red |,10.5,1,Acme\n");
  const auto read = rows(csv_parts(
      path, mapping("id=sku,price=cost,attributes.maker=maker", "kind=product", ImportKind::kItems),
      ','));
  ASSERT_EQ(read.size(), 1u);
  const auto item = parse_item(read[0].json.value(), std::nullopt);
  ASSERT_TRUE(item.has_value()) << read[0].json.value();
  EXPECT_EQ(item->id.value, "7");
  EXPECT_EQ(item->kind, "product");
  EXPECT_EQ(item->title, "Chair, red");
  EXPECT_EQ(item->tags, (std::vector<std::string>{"wood", "red"}));
  EXPECT_EQ(item->price, "10.50");
  EXPECT_TRUE(item->hidden);
  EXPECT_EQ(item->attributes, R"({"maker":"Acme"})");
}

TEST_F(MappedImport, AWrongMappingIsToldBeforeAnythingIsRead) {
  const auto path = file("user,item\na,b\n");
  EXPECT_NE(csv_parts(path, {}, ',').error().detail.find("`type`"), std::string::npos);
  EXPECT_NE(csv_parts(path, mapping("user=who", "type=view"), ',').error().detail.find("who"),
            std::string::npos);
  EXPECT_NE(csv_parts(path, mapping("colour=user", ""), ',').error().detail.find("colour"),
            std::string::npos);
  EXPECT_FALSE(csv_parts(path, mapping("user=user", "user=x,type=view"), ',').has_value());
  EXPECT_FALSE(csv_parts("/no/such/file", {}, ',').has_value());
  for (const auto* pairs : {"user", "=x", "user=", "a=b,,c=d"}) {
    EXPECT_FALSE(Mapping::parse_pairs(pairs, "map").has_value()) << pairs;
  }
}

TEST_F(MappedImport, JsonLinesPassOrAreMapped) {
  const auto path = file(
      R"({"id":"e1","source":"app","type":"like","data":{"user":"u","item":"i","context":{"a":1}}})"
      "\n\n"
      R"({"type":"like","data":{"user":"u","item":"i"}})"
      "\n"
      R"({"type":"like","user":7,"item":"i","time":1700000000})"
      "\nnonsense\n[1]\n");
  const auto read = rows(jsonl_parts(path, {}));
  ASSERT_EQ(read.size(), 5u);
  EXPECT_EQ(event(read[0]).id, "e1");
  EXPECT_EQ(event(read[0]).context, R"({"a":1})");
  EXPECT_EQ(event(read[1]).id.size(), 32u);
  EXPECT_EQ(event(read[1]).source, "import:jsonl");
  EXPECT_EQ(event(read[2]).user.value, "7");
  EXPECT_EQ(event(read[2]).time, 1'700'000'000'000);
  EXPECT_EQ(read[3].line, 5u);
  EXPECT_EQ(read[3].json.error().field, "row");
  EXPECT_EQ(read[4].json.error().detail, "must be a JSON object");
}

TEST_F(MappedImport, JsonColumnsMayLieWithinObjects) {
  const auto path = file(R"({"who":{"id":"u1"},"what.id":"i1","at":null})"
                         "\n");
  const auto read =
      rows(jsonl_parts(path, mapping("user=who.id,item=what.id,time=at", "type=view")));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(event(read[0]).user.value, "u1");
  EXPECT_EQ(event(read[0]).item.value, "i1");
  EXPECT_EQ(event(read[0]).time, std::nullopt);
}

TEST_F(MappedImport, ALineThatIsTooLongIsPassedOver) {
  const auto path =
      file(std::string(3 << 20, 'x') + "\n" + R"({"type":"like","data":{"user":"u","item":"i"}})");
  const auto read = rows(jsonl_parts(path, {}));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].json.error().detail, "is longer than 1 MiB");
  EXPECT_EQ(event(read[1]).type, "like");
  EXPECT_EQ(read[1].line, 2u);
}

}  // namespace
}  // namespace millrace::ingest
