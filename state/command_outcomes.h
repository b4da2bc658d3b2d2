#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::state {

// What a catalog command came to. Stored: never change a number.
enum class CommandOutcome : std::uint8_t {
  kCreated = 0,
  kReplaced = 1,
  kDeleted = 2,
  kNotFound = 3,
  kAccepted = 4,
  kNameTaken = 5,
  kEmailTaken = 6,
  kFull = 7,
  kNoParent = 8,    // the parent named is no item
  kParentLoop = 9,  // it is the item itself or below it, or too many are above it
  kForbidden = 10,  // the store is not theirs who asked
  kNoStore = 11     // and they have none
};

struct CommandVerdict {
  CommandOutcome outcome = CommandOutcome::kAccepted;
  std::uint64_t number = 0;  // minted for what was created; 0: none
  friend bool operator==(const CommandVerdict&, const CommandVerdict&) = default;
};

// What the last `window` commands came to, by hash of their ids. Not thread-safe.
class CommandOutcomes {
 public:
  using Hash = std::array<char, 16>;
  static Hash hash(std::string_view command_id);

  explicit CommandOutcomes(std::size_t window) : window_(window) {}

  std::optional<CommandVerdict> find(const Hash& command) const;
  void add(const Hash& command, CommandVerdict verdict);
  // On opening, in the order of adding; `sequence` is the first one's number.
  void restore_from(std::uint64_t sequence) { first_ = sequence; }

  std::uint64_t first() const { return first_; }  // sequence number of the oldest kept
  std::uint64_t next() const { return first_ + order_.size(); }
  std::size_t memory_bytes() const { return order_.size() * 88; }  // about

 private:
  struct HashOf {
    std::size_t operator()(const Hash& hash) const;
  };
  std::size_t window_;
  std::uint64_t first_ = 0;
  std::deque<Hash> order_;
  std::unordered_map<Hash, CommandVerdict, HashOf> outcomes_;
};

}  // namespace millrace::state
