#include "app/synthetic_catalog.h"

#include <array>
#include <string_view>

#include "app/random.h"
#include "schemas/item_json.h"
#include "schemas/store.h"

namespace millrace::app {
namespace {

struct Topic {
  std::string_view category;
  std::array<std::string_view, 6> tags;
  std::array<std::string_view, 6> things;
};

constexpr std::array kTopics = {
    Topic{"Cooking",
          {"baking", "vegan", "quick", "street food", "bread", "spicy"},
          {"Sourdough", "Noodles", "Market Soup", "Dumplings", "Flatbread", "Curry"}},
    Topic{"Music",
          {"live", "piano", "acoustic", "jazz", "choir", "synth"},
          {"Piano Nights", "Street Band", "Basement Session", "Quartet", "Choir", "Vinyl"}},
    Topic{"Travel",
          {"mountains", "city", "budget", "train", "islands", "winter"},
          {"Night Train", "Harbour", "Mountain Road", "Old Town", "Island", "Border"}},
    Topic{"Science",
          {"space", "physics", "biology", "experiment", "history", "maths"},
          {"Comet", "Microscope", "Deep Sea", "Pendulum", "Fossil", "Prime Number"}},
    Topic{"Games",
          {"speedrun", "retro", "strategy", "puzzle", "co-op", "indie"},
          {"Dungeon", "Final Boss", "Puzzle Box", "Pixel Quest", "Tower", "Arcade"}},
    Topic{"Sport",
          {"running", "football", "climbing", "cycling", "training", "final"},
          {"Marathon", "Penalty", "North Face", "Sprint", "Derby", "Long Ride"}},
    Topic{"Comedy",
          {"sketch", "stand-up", "improv", "parody", "short", "satire"},
          {"Neighbours", "Office Party", "Bad Advice", "Wedding Speech", "Parrot", "Lift"}},
    Topic{"Nature",
          {"birds", "forest", "ocean", "4k", "slow", "wildlife"},
          {"Otters", "Rain Forest", "Tide Pool", "Owls", "First Snow", "Meadow"}},
    Topic{"Craft",
          {"wood", "pottery", "repair", "knitting", "leather", "paper"},
          {"Workbench", "Tea Bowl", "Old Radio", "Dovetail", "Wallet", "Kite"}},
    Topic{"Technology",
          {"hardware", "open source", "robots", "review", "networks", "vintage"},
          {"Mechanical Keyboard", "Robot Arm", "Router", "First Computer", "Drone", "Printer"}},
    Topic{"Film",
          {"drama", "short film", "thriller", "documentary", "classic", "festival"},
          {"Lighthouse", "Last Reel", "Silent Street", "The Letter", "Witness", "Winter Hotel"}},
    Topic{"Fitness",
          {"yoga", "strength", "beginner", "no equipment", "stretching", "dance"},
          {"Morning Flow", "Ten Minutes", "Strong Back", "Kettlebell", "Balance", "Cool Down"}},
};

constexpr std::array<std::string_view, 10> kShapes = {
    "The %",        "% in One Take", "How to Love %", "A Year of %", "% at Midnight",
    "Beginner's %", "Return to %",   "The Last %",    "% Explained", "My First %"};

std::string title_of(const Topic& topic, Random& random, std::size_t number) {
  std::string title(kShapes[random.below(kShapes.size())]);
  title.replace(title.find('%'), 1, topic.things[random.below(topic.things.size())]);
  return title + " #" + std::to_string(number);
}

void add_tags(Item& item, const Topic& topic, std::size_t count, Random& random) {
  const std::size_t first = random.below(topic.tags.size());
  for (std::size_t i = 0; i < count; ++i) {
    item.tags.emplace_back(topic.tags[(first + i) % topic.tags.size()]);
  }
}

constexpr UnixMillis kNewest = 1'767'225'600'000;  // 2026-01-01
constexpr UnixMillis kMinute = 60'000;
constexpr std::size_t kMinutes = 2 * 365 * 24 * 60;

class ItemsReader final : public ingest::ImportReader {
 public:
  using Make = Item (*)(std::uint64_t seed, std::size_t number);
  ItemsReader(Make make, std::uint64_t seed, std::size_t count)
      : make_(make), seed_(seed), count_(count) {}

  std::optional<ingest::ImportRow> next() override {
    if (at_ == count_) return std::nullopt;
    std::string json;
    JsonWriter out(json);
    append_item_json(out, make_(seed_, ++at_));
    return ingest::ImportRow{"catalogue", at_, std::move(json)};
  }

  double progress() const override {
    return count_ == 0 ? 1.0 : static_cast<double>(at_) / static_cast<double>(count_);
  }

 private:
  const Make make_;
  const std::uint64_t seed_;
  const std::size_t count_;
  std::size_t at_ = 0;
};

ingest::ImportPart part_of(ItemsReader::Make make, std::uint64_t seed, std::size_t count) {
  return {"catalogue",
          ingest::ImportKind::kItems,
          {},
          [make, seed, count]() -> Result<std::unique_ptr<ingest::ImportReader>> {
            return std::make_unique<ItemsReader>(make, seed, count);
          }};
}

}  // namespace

Item synthetic_item(std::uint64_t seed, std::size_t number) {
  Random random(seed * 0x9e3779b97f4a7c15ULL + number);
  Item item;
  item.id = ItemId("video:" + std::to_string(number));
  item.kind = "video";
  const Topic& topic = kTopics[random.below(kTopics.size())];
  item.title = title_of(topic, random, number);
  item.categories.emplace_back(topic.category);
  add_tags(item, topic, 2 + random.below(3), random);
  const Topic& second = kTopics[random.below(kTopics.size())];
  if (random.chance(0.3) && second.category != topic.category) {
    item.categories.emplace_back(second.category);
    add_tags(item, second, 1, random);
  }
  if (random.chance(0.2)) item.price = std::to_string(1 + random.below(30)) + ".99";
  item.published = kNewest - static_cast<UnixMillis>(random.below(kMinutes)) * kMinute;
  return item;
}

Item synthetic_product(std::uint64_t seed, std::size_t number) {
  Random random((seed + 1) * 0x9e3779b97f4a7c15ULL - number);
  Item item;
  item.id = ItemId("product:" + std::to_string(number));
  item.kind = kProductKind;
  const Topic& topic = kTopics[random.below(kTopics.size())];
  const std::string thing(topic.things[random.below(topic.things.size())]);
  item.title = thing + " #" + std::to_string(number);
  item.categories.emplace_back(topic.category);
  item.price = std::to_string(5 + random.below(195)) + ".99";
  item.attributes = R"({"description":"For those who like )" + thing + R"(.","quantity":)" +
                    std::to_string(10 + random.below(190)) + "}";
  return item;
}

ingest::ImportPart synthetic_items(std::uint64_t seed, std::size_t count) {
  return part_of(synthetic_item, seed, count);
}

ingest::ImportPart synthetic_products(std::uint64_t seed, std::size_t count) {
  return part_of(synthetic_product, seed, count);
}

std::vector<AudienceItem> audience_items(std::uint64_t seed, std::size_t count) {
  std::vector<AudienceItem> items;
  items.reserve(count);
  for (std::size_t number = 1; number <= count; ++number) {
    Item item = synthetic_item(seed, number);
    items.push_back({std::move(item.id.value), std::move(item.categories)});
  }
  return items;
}

}  // namespace millrace::app
