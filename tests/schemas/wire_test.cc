#include "schemas/wire.h"

#include <gtest/gtest.h>

#include <random>

#include "schemas/interaction_view.h"
#include "schemas/proto/records.pb.h"

namespace millrace::wire {
namespace {

std::string some_text(std::mt19937_64& random) {
  return std::string(random() % 3 == 0 ? 0 : random() % 300, 'x');
}

// Every field present or absent, small, large and negative numbers: the bytes are protobuf's own.
TEST(Wire, AnInteractionsBytesAreThoseOfProtobuf) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    const auto number = [&random] { return static_cast<std::int64_t>(random()) >> random() % 64; };
    Interaction it;
    it.type_number = static_cast<std::uint32_t>(number());
    it.weight = static_cast<std::int32_t>(number());
    Event& event = it.event;
    for (std::string* text :
         {&event.source, &event.id, &event.user.value, &event.item.value, &event.session,
          &event.mood, &event.device, &event.context, &event.notes, &event.recommendation_id}) {
      *text = some_text(random);
    }
    event.time = number();
    if (random() % 2 == 0) event.value_centi = static_cast<std::int32_t>(number());
    if (random() % 2 == 0) event.duration_s = static_cast<std::uint32_t>(number());
    if (random() % 2 == 0) event.mood_intensity = static_cast<std::uint32_t>(number());
    event.context_is_object = random() % 2 == 0;
    it.undo_type = static_cast<std::uint32_t>(number());
    it.undo_weight = static_cast<std::int32_t>(number());
    std::string bytes;
    append_interaction(bytes, view_of(it));
    proto::Interaction message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    EXPECT_EQ(message.SerializeAsString(), bytes);
    EXPECT_EQ(message.weight(), it.weight);
    EXPECT_EQ(message.time_ms(), *event.time);
    const auto back = read_interaction(bytes);
    if (event.user.value.empty() || event.item.value.empty() || it.type_number == 0) {
      EXPECT_FALSE(back);
      continue;
    }
    ASSERT_TRUE(back);
    EXPECT_EQ(copy_of(*back), it);
  }
}

TEST(Wire, WhatIsCutShortIsNoMessage) {
  std::string bytes;
  Writer write(bytes);
  write.number(1, 300);
  write.text(2, "text");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Reader reader(std::string_view(bytes).substr(0, size));
    while (reader.next()) {
    }
    EXPECT_EQ(reader.ok(), size == 3) << size;  // behind the first field
  }
  const std::string ones(11, '\xff');
  Reader endless(ones);
  EXPECT_FALSE(endless.next());
  EXPECT_FALSE(endless.ok());
}

TEST(Wire, TextThatIsNotUtf8IsNoInteraction) {
  Interaction it;
  it.type_number = 1;
  it.event.user = UserId("u");
  it.event.item = ItemId("i");
  it.event.notes = "eight bytes and \xc3";
  std::string bytes;
  append_interaction(bytes, view_of(it));
  EXPECT_FALSE(read_interaction(bytes));
}

}  // namespace
}  // namespace millrace::wire
