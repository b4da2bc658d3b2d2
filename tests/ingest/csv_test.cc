#include "ingest/importers/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace millrace::ingest {
namespace {

struct Seen {
  std::uint64_t line;
  std::vector<std::string> fields;
  std::string error;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that gtest looks for
void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.line << ": " << seen.error;
  for (const auto& field : seen.fields) *out << " <" << field << ">";
}

std::vector<Seen> rows(const std::string& text, CsvOptions options = {}) {
  CsvReader reader(std::make_unique<std::istringstream>(text), options);
  std::vector<Seen> seen;
  while (reader.next()) {
    const auto fields = reader.fields();
    seen.push_back({reader.line(), {fields.begin(), fields.end()}, reader.error()});
  }
  EXPECT_LE(reader.bytes(), text.size());
  return seen;
}

using Rows = std::vector<Seen>;

TEST(Csv, ReadsRowsOfFields) {
  EXPECT_EQ(rows("a,b\n1,2\n"), (Rows{{1, {"a", "b"}, ""}, {2, {"1", "2"}, ""}}));
  EXPECT_EQ(rows(""), Rows{});
  EXPECT_EQ(rows(",\n"), (Rows{{1, {"", ""}, ""}}));
}

TEST(Csv, TheLastLineNeedsNoBreak) {
  EXPECT_EQ(rows("a,b"), (Rows{{1, {"a", "b"}, ""}}));
  EXPECT_EQ(rows("a,"), (Rows{{1, {"a", ""}, ""}}));
  EXPECT_EQ(rows("\"a\""), (Rows{{1, {"a"}, ""}}));
}

TEST(Csv, TakesCarriageReturnsBeforeLineBreaksOnly) {
  EXPECT_EQ(rows("a,b\r\nc\r\n"), (Rows{{1, {"a", "b"}, ""}, {2, {"c"}, ""}}));
  EXPECT_EQ(rows("a\rb\n"), (Rows{{1, {"a\rb"}, ""}}));
}

TEST(Csv, SkipsEmptyLinesAndByteOrderMark) {
  EXPECT_EQ(rows("\xef\xbb\xbf"
                 "a\n\n\r\nb\n"),
            (Rows{{1, {"a"}, ""}, {4, {"b"}, ""}}));
}

TEST(Csv, QuotedFieldsHoldDelimitersBreaksAndQuotes) {
  EXPECT_EQ(rows("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\nnext\n"),
            (Rows{{1, {"a,b", "say \"hi\"", "two\nlines"}, ""}, {3, {"next"}, ""}}));
  EXPECT_EQ(rows("\"\",x\n"), (Rows{{1, {"", "x"}, ""}}));
  EXPECT_EQ(rows("\"\"\"\"\r\n"), (Rows{{1, {"\""}, ""}}));
}

TEST(Csv, AQuoteInsideAPlainFieldIsText) {
  EXPECT_EQ(rows("5\" disk,b\n"), (Rows{{1, {"5\" disk", "b"}, ""}}));
}

TEST(Csv, ABadQuoteCostsOneLine) {
  EXPECT_EQ(rows("a\n\"open\nb\nc\n"), (Rows{{1, {"a"}, ""},
                                             {2, {}, "has a quote that is never closed"},
                                             {3, {"b"}, ""},
                                             {4, {"c"}, ""}}));
  EXPECT_EQ(rows("\"a\"b,c\nd\n"),
            (Rows{{1, {}, "has text behind a closing quote"}, {2, {"d"}, ""}}));
}

TEST(Csv, WithoutQuotesAndWithTabs) {
  CsvOptions options;
  options.delimiter = '\t';
  options.quotes = false;
  EXPECT_EQ(rows("\"a\tb,c\n", options), (Rows{{1, {"\"a", "b,c"}, ""}}));
}

TEST(Csv, LimitsCostTheRowAndNoMore) {
  CsvOptions options;
  options.max_fields = 2;
  options.max_field_bytes = 4;
  options.max_row_bytes = 12;
  const auto seen = rows(
      "a,b,c\nabcde\n" + std::string(40, 'x') + "\n\"" + std::string(40, 'y') + "\"\nok,fine\n",
      options);
  EXPECT_EQ(seen, (Rows{{1, {}, "has more than 2 fields"},
                        {2, {}, "has a field of more than 4 bytes"},
                        {3, {}, "is longer than 12 bytes"},
                        {4, {}, "has a quote that is never closed"},
                        {5, {"ok", "fine"}, ""}}));
}

TEST(Csv, KeepsNulAndBytesThatAreNoText) {
  const std::string row("\0\xff,b", 4);
  EXPECT_EQ(rows(row + "\n"), (Rows{{1, {row.substr(0, 2), "b"}, ""}}));
}

TEST(Csv, RowsAcrossBlocksOfTheFile) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ",\"q" + std::to_string(i) + "\"\n";
  CsvReader reader(std::make_unique<std::istringstream>(text));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(reader.next());
    ASSERT_EQ(reader.line(), static_cast<std::uint64_t>(i) + 1);
    ASSERT_EQ(reader.fields()[0], std::to_string(i));
    ASSERT_EQ(reader.fields()[1], "q" + std::to_string(i));
  }
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.bytes(), text.size());
}

}  // namespace
}  // namespace millrace::ingest
