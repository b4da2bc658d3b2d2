#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "state/catalog_view.h"

namespace millrace::serving {

// A ranked list for feed readers. All functions are pure.
struct FeedDocument {
  std::string title;
  std::string path;     // of the list itself, "/v1/lists/popular?kind=movie"
  std::string self;     // of the document
  std::string base;     // "https://example.org", put before paths; may be empty
  UnixMillis made = 0;  // stands in for the time of the last change of an empty list
  std::vector<const state::CatalogItem*> items;
};

std::string json_feed(const FeedDocument& document);  // JSON Feed 1.1
std::string atom_feed(const FeedDocument& document);  // RFC 4287

std::string percent_encode(std::string_view text);

// An id that stays the item's for ever: "urn:millrace:item:movie%3A1".
std::string item_urn(const std::string& id);

}  // namespace millrace::serving
