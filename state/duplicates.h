#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "schemas/ids.h"

namespace millrace::state {

// hash128(user, source, id): what makes two events one.
struct Identity {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};
Identity identity_of(std::string_view user, std::string_view source, std::string_view id);

// Stored: never change a number.
enum class Verdict : std::uint8_t {
  kApplied = 0,
  kDeadLetter = 1,
  kUndone = 2,  // a toggle that was its opposite
};

struct FirstSeen {
  Offset offset = 0;  // of the record that came first
  UnixMillis log_time = 0;
  Verdict verdict = Verdict::kApplied;
};

// The identities of a partition's last `max_ids` events, or of the last `max_age_ms` of log time,
// whichever ends first. What has left the window is gone for every question, whenever it is really
// dropped, so that answers depend on the log alone. find() is thread-safe; the rest is the
// writer's.
class Duplicates {
 public:
  struct Entry {
    Identity identity;
    FirstSeen first;
  };

  Duplicates();
  ~Duplicates();

  // As of log time `now` (of the record that asks).
  std::optional<FirstSeen> find(const Identity& identity, UnixMillis now) const;
  // The writer will soon ask for it: its place in memory is fetched.
  void expect(const Identity& identity) const;
  void add(const Identity& identity, const FirstSeen& first);
  void set_window(std::uint64_t max_ids, std::int64_t max_age_ms);  // at most 2^27 ids are kept
  void forget_beyond(UnixMillis now);  // frees what has left the window

  // What a window that was narrower once has let go, it does not take back when it grows.
  struct Floor {
    std::uint64_t sequence = 0;
    UnixMillis log_time = 0;
  };
  Floor floor() const;
  void restore_floor(const Floor& floor);

  std::uint64_t added() const;          // identities ever added: the next one's sequence number
  void restore_added(std::uint64_t n);  // on opening, before restored entries are added
  std::vector<Entry> take_new();        // added since the last call, for the commit's block
  std::uint64_t oldest() const;         // sequence number of the oldest entry still in the window
  double window_hours() const;          // log time that the window spans now
  std::size_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::state
