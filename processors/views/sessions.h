#pragma once
#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/chunked_vector.h"
#include "base/clock.h"
#include "state/item_index.h"

namespace millrace::processors {

// A rating below this says nothing good of the item.
inline constexpr std::int32_t kLikedRatingCenti = 300;  // hundredths of a star

// A session that names nothing ends when its person has been away for so long.
inline constexpr std::int64_t kSessionGapMs = 30LL * 60 * 1000;

// Whether an event of this type is a step of a session: all but those that take something back,
// refuse it or only showed it; a rating from three stars on. Of types that operators made: each.
bool is_visit(std::uint32_t type, std::optional<std::int32_t> value_centi);

// A person's step to an item.
struct Visit {
  std::string_view user;
  std::string_view session;  // as the event names it; may be empty
  UnixMillis time = 0;       // event time
  state::ItemIndex item = state::kNoItem;
};

// The newest sessions and, for each item, which of them contain it: what VMIS-kNN looks through
// (rankers/session.h). A session is a run of a person's steps that name the same session, or name
// none and lie no more than kSessionGapMs apart; each item counts once in it. Sessions are numbered
// from 1 as they begin. One of more than kMaxItems items goes on as another; of all that one item
// has, the newest kKept can be asked for. Beyond `max_bytes` the oldest sessions go.
//
// Thread-safe. Writers take one lock; readers never wait for it: a session is a cell of atomics
// under a seqlock, lists of sessions are copied under striped locks.
class Sessions {
 public:
  static constexpr std::size_t kMaxItems = 14;
  static constexpr std::size_t kKept = 500;
  using Number = std::uint64_t;

  explicit Sessions(std::size_t max_bytes);
  ~Sessions();

  void visit(const Visit& step);
  void erase(std::string_view user);
  void clear();

  // The newest `limit` sessions that contain `item`, newest first; gone ones may be among them.
  void newest(state::ItemIndex item, std::size_t limit, std::vector<Number>& into) const;
  // The items of a session in order, written to the front of `into`; empty: it is gone.
  std::span<const state::ItemIndex> items(Number session,
                                          std::array<state::ItemIndex, kMaxItems>& into) const;
  std::uint32_t with(state::ItemIndex item) const;  // how many sessions contain it
  std::uint64_t size() const { return live_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }   // for room
  std::size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }  // about

  // Many people's pasts, each by itself and in order, as visits in the order in which their
  // sessions began. Takes memory for as many sessions as fit, twice.
  class Past {
   public:
    explicit Past(Sessions& sessions) : sessions_(sessions) {}
    void visit(const Visit& step);
    void replay();  // all that was said, once

   private:
    struct Run {
      UnixMillis began = 0, ended = 0;
      std::uint64_t user = 0, name = 0;
      std::vector<state::ItemIndex> items;
    };
    void keep_newest(std::size_t count);

    Sessions& sessions_;
    std::vector<Run> runs_;
  };

 private:
  // The session that a person's next step may belong to.
  struct Open {
    Number number = 0;
    std::uint64_t name = 0;  // hash of the session's; 0: it has none
    UnixMillis last = 0;
  };
  struct alignas(64) Cell {
    std::atomic<Number> number{0};                              // 0: free, or being changed
    std::array<std::atomic<std::uint32_t>, kMaxItems> items{};  // index + 1; 0: no more
  };
  struct Posting;
  struct alignas(64) Stripe {
    std::mutex mutex;
  };
  static constexpr std::size_t kStripes = 256;

  static bool continues(const Open& open, std::uint64_t name, UnixMillis time);
  void step(std::uint64_t user, std::uint64_t name, UnixMillis time, state::ItemIndex item);
  void begin(Open& open, std::uint64_t user, state::ItemIndex item);
  bool append(Number session, state::ItemIndex item);
  bool drop(Number session);
  void forget_closed();
  void post(state::ItemIndex item, Number session);
  void unpost(state::ItemIndex item, Number session);
  std::size_t place(Number session) const { return (session - 1) % capacity_; }
  std::mutex& lock_of(state::ItemIndex item) const { return stripes_[item % kStripes].mutex; }

  const std::size_t max_bytes_;
  const std::size_t capacity_;  // sessions
  std::mutex writing_;          // over all but what readers read
  std::unique_ptr<Stripe[]> stripes_;
  ChunkedVector<Cell, 4096, 16384> cells_;               // a ring
  std::vector<std::uint64_t> owners_;                    // of each cell: hash of its user
  boost::unordered_flat_map<std::uint64_t, Open> open_;  // by hash of the user
  ChunkedVector<Posting, 4096, 16384> postings_;         // by ItemIndex
  Number newest_ = 0;
  Number oldest_ = 1;
  std::atomic<std::uint64_t> live_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace millrace::processors
