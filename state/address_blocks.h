#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/access.h"
#include "state/command_outcomes.h"
#include "state/fact_rows.h"

namespace millrace::state {

struct Block {
  AddressRange range;
  std::string reason;
  UnixMillis since = 0;  // log time
  UnixMillis until = 0;  // 0: for ever
  bool automatic = false;
  bool holds(UnixMillis now) const { return until == 0 || now < until; }
};

// More ranges than these are not blocked at once.
inline constexpr std::size_t kMaxBlocks = 10'000;

// The blocked addresses at one offset of the catalog. Immutable.
class BlocksView {
 public:
  // A block that holds `now` and has the address, the narrowest of them; nullptr: there is none.
  const Block* find(const Address& address, UnixMillis now) const;
  const std::map<AddressRange, Block>& all() const { return blocks_; }  // expired ones, too
  bool empty() const { return blocks_.empty(); }

 private:
  friend class AddressBlocks;
  std::map<AddressRange, Block> blocks_;
  std::bitset<129> lengths_;  // of the ranges
};

// Applies what the catalog's log says of blocked addresses. One thread.
class AddressBlocks {
 public:
  explicit AddressBlocks(FactRows& rows) : rows_(rows) {}

  // kFull: as many are blocked as may be, none of which has expired by then. What an administrator
  // blocks takes the place of the server's own.
  CommandVerdict apply(const BlockAddress& block, UnixMillis log_time);
  CommandVerdict apply(const UnblockAddress& gone);

  std::shared_ptr<const BlocksView> view();  // the same one as long as nothing changes
  Status restore(std::string_view key, std::string_view row);  // on opening; kCorrupt

 private:
  void put(Block block);
  void erase(const AddressRange& range);
  void drop_expired(UnixMillis log_time);
  bool drop_an_automatic_one();

  FactRows& rows_;
  BlocksView now_;
  std::array<std::size_t, 129> ranges_{};     // by their length
  std::shared_ptr<const BlocksView> shared_;  // null: something changed since
};

}  // namespace millrace::state
