#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schemas/ids.h"

namespace millrace {

// Something that can be recommended. Order of categories and tags is the client's, without repeats.
struct Item {
  ItemId id;
  std::string kind;  // video, movie, product, content, …; by default the id's part before the colon
  std::string title;
  std::vector<std::string> categories;  // a movie's genres
  std::vector<std::string> tags;
  std::string price;  // exact decimal text with at most two decimals, e.g. "10.00"; empty: none
  std::optional<UnixMillis> created;
  std::optional<UnixMillis> published;
  std::string attributes;  // JSON text of an object with whatever else the client sent; empty: none
  bool hidden = false;     // kept and counted, never listed or recommended
  ItemId parent{};         // goes when its parent is deleted; empty: none

  friend bool operator==(const Item&, const Item&) = default;
};

struct DeleteItem {
  ItemId id;
  friend bool operator==(const DeleteItem&, const DeleteItem&) = default;
};

// Erases a person: carried to the person's partition as a control record.
struct DemandErase {
  UserId user;
  friend bool operator==(const DemandErase&, const DemandErase&) = default;
};

// Makes `user`'s events those of `into`, then erases `user`.
struct MergePeople {
  UserId user;
  UserId into;
  friend bool operator==(const MergePeople&, const MergePeople&) = default;
};

}  // namespace millrace
