#include "schemas/position.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Position, PrintsAndParses) {
  Position position;
  position.include(kCatalogPartition, 7);
  position.include({Topic::kInteractions, 12}, 3);
  position.include({Topic::kInteractions, 2}, 1041);
  EXPECT_EQ(position.text(), "i2:1041,i12:3,c:7");
  EXPECT_EQ(Position::parse(position.text()), position);
}

TEST(Position, KeepsTheLargerOffset) {
  const auto position = Position::parse("i0:5,i0:9,i0:7");
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->text(), "i0:9");
  Position other;
  other.include({Topic::kInteractions, 0}, 4);
  other.include(*position);
  EXPECT_EQ(other.text(), "i0:9");
}

TEST(Position, RefusesWhatIsNone) {
  for (const auto* text :
       {"", ",", "i:1", "i1:", "i1", "c1:2", "c:-1", "i-1:2", "i1:2,", ",i1:2", "i1:2 ", "i70000:1",
        "c:9999999999999999999", "x1:2", "i1:+2", "i1:2;c:3"}) {
    const auto position = Position::parse(text);
    ASSERT_FALSE(position.has_value()) << text;
    EXPECT_EQ(position.error().code, Code::kInvalid);
    EXPECT_EQ(position.error().field, "position");
  }
}

}  // namespace
}  // namespace millrace
