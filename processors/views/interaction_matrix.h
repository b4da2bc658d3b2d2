#pragma once
#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/chunked_vector.h"
#include "processors/views/cooccurrence.h"
#include "state/item_index.h"

namespace millrace::processors {

// The items whose interactions the matrix holds: those with ids `product:…`.
inline constexpr std::string_view kProductKind = "product";
inline constexpr std::string_view kProductPrefix = "product:";

// The user × product matrix: 1 where an event of positive weight has ever taken a product into a
// person's sequence, else 0. Kept by columns (a product's people, in the order they came) and by
// rows (a person's products), cell by cell, so that neighbours need no training. A cell takes 4
// bytes in each, a person about 80 more; what goes beyond `max_bytes` is left out and counted.
//
// add() and erase() of a partition belong to its writer; the rest is thread-safe. Rows and columns
// are guarded by striped locks, one held at a time.
class InteractionMatrix {
 public:
  InteractionMatrix(std::size_t partitions, std::size_t max_bytes);
  ~InteractionMatrix();

  // The person has not had the product before.
  void add(std::uint16_t partition, std::string_view user, state::ItemIndex product);
  void erase(std::uint16_t partition, std::string_view user);

  std::uint32_t people(state::ItemIndex product) const;

  // How many of a product's people have each other product; the newest people first, until
  // `max_cells` cells have been looked at.
  struct Overlap {
    std::vector<Neighbour> others;  // in no particular order
    std::uint32_t looked_at = 0;    // people
    std::uint32_t people = 0;       // of the product; more than looked_at: not all were
  };
  Overlap overlap(state::ItemIndex product, std::size_t max_cells) const;

  // Cells row by row, from a place on: rows in the order in which people came.
  struct Place {
    std::uint32_t row = 0;
    std::uint32_t cell = 0;
  };
  struct Cell {
    std::string user;
    state::ItemIndex product = state::kNoItem;
    Place next;  // behind it
  };
  std::vector<Cell> cells(Place from, std::size_t limit) const;

  std::size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }  // about
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }   // cells

 private:
  struct Row {
    std::string user;
    std::vector<state::ItemIndex> products;
  };
  struct Column {
    std::vector<std::uint32_t> rows;
    std::atomic<std::uint32_t> people{0};
  };
  using Rows = ChunkedVector<Row, 4096, 16384>;
  // Row numbers by the name of their user.
  struct ByUser {
    using is_transparent = void;
    const Rows* rows;
    std::string_view name(std::uint32_t row) const { return (*rows)[row].user; }
    static std::string_view name(std::string_view user) { return user; }
    template <class Key>
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(name(key));
    }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return name(a) == name(b);
    }
  };
  using Users = boost::unordered_flat_set<std::uint32_t, ByUser, ByUser>;

  static constexpr std::size_t kStripes = 256;
  struct alignas(64) Stripe {
    std::mutex mutex;
  };
  std::mutex& row_lock(std::uint32_t row) const { return locks_[row % kStripes].mutex; }
  std::mutex& column_lock(state::ItemIndex product) const {
    return locks_[kStripes + product % kStripes].mutex;
  }
  std::uint32_t row_of(std::uint16_t partition, std::string_view user);

  const std::size_t max_bytes_;
  std::unique_ptr<Stripe[]> locks_;
  std::mutex grow_;  // of rows_ and columns_, and over free_
  Rows rows_;
  ChunkedVector<Column, 4096, 16384> columns_;  // by ItemIndex
  std::vector<std::uint32_t> free_;             // rows of people who are gone
  std::vector<Users> users_;                    // by partition, its writer's
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace millrace::processors
