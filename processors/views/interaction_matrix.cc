#include "processors/views/interaction_matrix.h"

#include <algorithm>

#include "base/prefetch.h"

namespace millrace::processors {
namespace {

// Lists grow by a quarter: there are many, and most stay short. Answers how many bytes it took.
std::size_t append(std::vector<std::uint32_t>& list, std::uint32_t number) {
  const std::size_t before = list.capacity();
  if (list.size() == before) list.reserve(before + before / 4 + 2);
  list.push_back(number);
  return (list.capacity() - before) * sizeof(number);
}

}  // namespace

InteractionMatrix::InteractionMatrix(std::size_t partitions, std::size_t max_bytes)
    : max_bytes_(max_bytes),
      locks_(std::make_unique<Stripe[]>(2 * kStripes)),
      users_(partitions, Users(0, ByUser{&rows_}, ByUser{&rows_})) {}
InteractionMatrix::~InteractionMatrix() = default;

std::uint32_t InteractionMatrix::row_of(std::uint16_t partition, std::string_view user) {
  auto& users = users_[partition];
  if (const auto known = users.find(user); known != users.end()) return *known;
  std::uint32_t row = 0;
  {
    const std::lock_guard lock(grow_);
    if (free_.empty()) {
      row = static_cast<std::uint32_t>(rows_.size());
      rows_.grow_to(row + std::size_t{1});
      bytes_.fetch_add(sizeof(Row) + 2 * sizeof(row), std::memory_order_relaxed);
    } else {
      row = free_.back();
      free_.pop_back();
    }
  }
  {
    const std::lock_guard lock(row_lock(row));
    rows_[row].user = user;
  }
  users.insert(row);
  return row;
}

void InteractionMatrix::add(std::uint16_t partition, std::string_view user,
                            state::ItemIndex product) {
  if (memory_bytes() >= max_bytes_) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::uint32_t row = row_of(partition, user);
  if (product >= columns_.size()) {
    const std::lock_guard lock(grow_);
    const std::size_t before = columns_.size();
    columns_.grow_to(std::max(before, product + std::size_t{1}));
    bytes_.fetch_add((columns_.size() - before) * sizeof(Column), std::memory_order_relaxed);
  }
  std::size_t grown = 0;
  {
    const std::lock_guard lock(row_lock(row));
    grown += append(rows_[row].products, product);
  }
  const std::lock_guard lock(column_lock(product));
  Column& column = columns_[product];
  grown += append(column.rows, row);
  column.people.store(static_cast<std::uint32_t>(column.rows.size()), std::memory_order_relaxed);
  bytes_.fetch_add(grown, std::memory_order_relaxed);
}

void InteractionMatrix::erase(std::uint16_t partition, std::string_view user) {
  auto& users = users_[partition];
  const auto known = users.find(user);
  if (known == users.end()) return;
  const std::uint32_t row = *known;
  users.erase(known);
  Row gone;
  {
    const std::lock_guard lock(row_lock(row));
    std::swap(gone, rows_[row]);
  }
  for (const state::ItemIndex product : gone.products) {
    const std::lock_guard lock(column_lock(product));
    Column& column = columns_[product];
    std::erase(column.rows, row);
    column.people.store(static_cast<std::uint32_t>(column.rows.size()), std::memory_order_relaxed);
  }
  bytes_.fetch_sub(gone.products.capacity() * sizeof(row), std::memory_order_relaxed);
  const std::lock_guard lock(grow_);
  free_.push_back(row);
}

std::uint32_t InteractionMatrix::people(state::ItemIndex product) const {
  return product < columns_.size() ? columns_[product].people.load(std::memory_order_relaxed) : 0;
}

InteractionMatrix::Overlap InteractionMatrix::overlap(state::ItemIndex product,
                                                      std::size_t max_cells) const {
  Overlap out;
  if (product >= columns_.size()) return out;
  std::vector<std::uint32_t> rows;  // newest first
  {
    const std::lock_guard lock(column_lock(product));
    const auto& all = columns_[product].rows;
    const auto some = static_cast<std::ptrdiff_t>(std::min(all.size(), max_cells));
    rows.assign(all.rbegin(), all.rbegin() + some);
    out.people = static_cast<std::uint32_t>(all.size());
  }
  constexpr std::size_t kAhead = 8;  // memory is slow: ask for it early
  std::vector<std::uint32_t> counts(columns_.size());
  std::vector<state::ItemIndex> touched;
  std::size_t cells = 0;
  for (std::size_t i = 0; i < rows.size() && cells < max_cells; ++i) {
    if (i + kAhead < rows.size()) prefetch(&rows_[rows[i + kAhead]]);
    const std::lock_guard lock(row_lock(rows[i]));
    for (const state::ItemIndex other : rows_[rows[i]].products) {
      if (other == product || other >= counts.size()) continue;
      if (counts[other]++ == 0) touched.push_back(other);
    }
    cells += rows_[rows[i]].products.size();
    ++out.looked_at;
  }
  out.others.reserve(touched.size());
  for (const state::ItemIndex other : touched) out.others.push_back({other, counts[other]});
  return out;
}

std::vector<InteractionMatrix::Cell> InteractionMatrix::cells(Place from, std::size_t limit) const {
  std::vector<Cell> out;
  for (; from.row < rows_.size() && out.size() < limit; from = {from.row + 1, 0}) {
    const std::lock_guard lock(row_lock(from.row));
    const Row& row = rows_[from.row];
    for (std::uint32_t i = from.cell; i < row.products.size() && out.size() < limit; ++i) {
      out.push_back({row.user, row.products[i], {from.row, i + 1}});
    }
  }
  return out;
}

}  // namespace millrace::processors
