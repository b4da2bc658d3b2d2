#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "state/item_index.h"

namespace millrace::processors {

// How often people were shown items without acting on them: what rotation goes by. A view of the
// log's tail, bounded: of each person the last kMostItems, of people those shown something last.
// Each partition's writer changes its part; any thread reads.
class Fatigue {
 public:
  static constexpr std::size_t kMostItems = 64;

  struct Shown {
    state::ItemIndex item = state::kNoItem;
    std::uint32_t times = 0;
    UnixMillis last = 0;  // log time
    friend bool operator==(const Shown&, const Shown&) = default;
  };

  // `bytes`: of all partitions together.
  Fatigue(std::size_t partitions, std::size_t bytes);

  // ---- from a partition's writer, in the log's order
  void shown(std::uint16_t partition, std::string_view user,
             std::span<const state::ItemIndex> items, UnixMillis log_time);
  void acted(std::uint16_t partition, std::string_view user, state::ItemIndex item);
  void forget(std::uint16_t partition, std::string_view user);

  // ---- from any thread
  std::vector<Shown> of(std::uint16_t partition, std::string_view user) const;
  std::size_t people() const;
  std::size_t memory_bytes() const;  // about
  std::size_t dropped() const;       // people who went for want of room

 private:
  struct Person {
    std::string user;
    std::vector<Shown> items;  // that was shown last at the back
  };
  using People = std::list<Person>;
  struct Part {
    mutable std::mutex mutex;
    People people;  // who was shown something last at the back
    std::unordered_map<std::string_view, People::iterator> at;
    std::size_t bytes = 0;
    std::size_t dropped = 0;
  };

  static std::size_t bytes_of(const Person& person);
  static void drop(Part& part, People::iterator person);

  const std::size_t bytes_of_part_;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace millrace::processors
