#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ingest/importers/import_source.h"
#include "schemas/item.h"

namespace millrace::app {

// A made-up video: `video:<number>` with title, one or two categories, tags that go with them, a
// price now and then, and a time of publication within the two years before 2026. Depends on seed
// and number alone.
Item synthetic_item(std::uint64_t seed, std::size_t number);

// Items 1 to `count` as something to import.
ingest::ImportPart synthetic_items(std::uint64_t seed, std::size_t count);

// The same of products: `product:<number>` with a price, a category, a description and a stock.
Item synthetic_product(std::uint64_t seed, std::size_t number);
ingest::ImportPart synthetic_products(std::uint64_t seed, std::size_t count);

// What an audience needs to know of an item.
struct AudienceItem {
  std::string id;
  std::vector<std::string> categories;
};

// Items 1 to `count` as an audience sees them.
std::vector<AudienceItem> audience_items(std::uint64_t seed, std::size_t count);

}  // namespace millrace::app
