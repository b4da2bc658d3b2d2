#include "state/row_page.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "schemas/wire.h"

namespace millrace::state {
namespace {

using wire::get_varint;
using wire::put_varint;
using wire::unzigzag;
using wire::zigzag;

// A row's numbers but its counts: item, flags, rating, order, time, how many counts; the trends'.
constexpr std::size_t kNumbers = 6 + 3 * kHalfLives;
constexpr std::size_t kRoom = 64;  // for a row of usual size

void append(const ItemRow& row, std::string& out) {
  const std::size_t from = out.size();
  out.resize(from + (1 + kNumbers + 2 * row.counts.size()) * wire::kMaxVarint);
  // One byte is kept for the length; a long row is moved.
  char* const body = out.data() + from + 1;
  char* at = body;
  at = put_varint(at, row.item);
  at = put_varint(at, row.flags);
  at = put_varint(at, zigzag(row.rating_centi));
  at = put_varint(at, row.order);
  at = put_varint(at, zigzag(row.last_time));
  at = put_varint(at, row.counts.size());
  for (const TypeCount& count : row.counts) {
    at = put_varint(at, count.type);
    at = put_varint(at, count.count);
  }
  for (const auto& share : row.trend) {
    at = put_varint(at, zigzag(share.epoch));
    at = put_varint(at, zigzag(share.newer));
    at = put_varint(at, zigzag(share.older));
  }
  const auto size = static_cast<std::size_t>(at - body);
  char length[wire::kMaxVarint];
  const auto length_size = static_cast<std::size_t>(put_varint(length, size) - length);
  if (length_size > 1) std::memmove(out.data() + from + length_size, body, size);
  std::memcpy(out.data() + from, length, length_size);
  out.resize(from + length_size + size);
}

struct Place {
  std::size_t begin = 0, end = 0;  // of the row with its length; equal when there is none
};

Place place_of(std::string_view packed, ItemNumber item) {
  const char* at = packed.data();
  while (at != packed.data() + packed.size()) {
    const char* const begin = at;
    const std::uint64_t length = get_varint(at);
    const char* const body = at;
    const std::uint64_t here = get_varint(at);
    at = body + length;
    const auto offset = static_cast<std::size_t>(begin - packed.data());
    if (here > item) return {offset, offset};
    if (here == item) return {offset, static_cast<std::size_t>(at - packed.data())};
  }
  return {packed.size(), packed.size()};
}

}  // namespace

RowPage::RowPage(const std::vector<ItemRow>& rows) : size_(static_cast<std::uint8_t>(rows.size())) {
  for (const ItemRow& row : rows) append(row, packed_);
}

ItemRow RowPage::take(const char*& at) {
  ItemRow row;
  get_varint(at);
  row.item = static_cast<ItemNumber>(get_varint(at));
  row.flags = static_cast<std::uint8_t>(get_varint(at));
  row.rating_centi = static_cast<std::int32_t>(unzigzag(get_varint(at)));
  row.order = static_cast<std::uint32_t>(get_varint(at));
  row.last_time = unzigzag(get_varint(at));
  for (std::uint64_t counts = get_varint(at); counts > 0; --counts) {
    const auto type = static_cast<std::uint32_t>(get_varint(at));
    row.counts.push_back({type, static_cast<std::uint32_t>(get_varint(at))});
  }
  for (auto& share : row.trend) {
    share.epoch = static_cast<std::int32_t>(unzigzag(get_varint(at)));
    share.newer = unzigzag(get_varint(at));
    share.older = unzigzag(get_varint(at));
  }
  return row;
}

std::optional<ItemNumber> RowPage::take_item_with(const char*& at, std::uint64_t types,
                                                  UnixMillis since) {
  const std::uint64_t length = get_varint(at);
  const char* field = std::exchange(at, at + length);
  const auto item = static_cast<ItemNumber>(get_varint(field));
  for (int i = 0; i < 3; ++i) get_varint(field);  // flags, rating, order
  if (unzigzag(get_varint(field)) < since) return std::nullopt;
  for (std::uint64_t counts = get_varint(field); counts > 0; --counts) {
    const std::uint64_t type = get_varint(field);
    if (type < 64 && (types >> type & 1) != 0) return item;
    get_varint(field);
  }
  return std::nullopt;
}

std::optional<ItemRow> RowPage::find(ItemNumber item) const {
  const Place place = place_of(packed_, item);
  if (place.begin == place.end) return std::nullopt;
  const char* at = packed_.data() + place.begin;
  return take(at);
}

RowPage RowPage::roomy_copy() const {
  RowPage copy;
  copy.packed_.reserve(packed_.size() + kRoom);
  copy.packed_ = packed_;
  copy.size_ = size_;
  return copy;
}

void RowPage::put(const ItemRow& row) {
  static thread_local std::string bytes;
  bytes.clear();
  append(row, bytes);
  const Place place = place_of(packed_, row.item);
  if (place.begin == place.end) ++size_;
  packed_.replace(place.begin, place.end - place.begin, bytes);
}

std::vector<ItemRow> RowPage::rows() const {
  std::vector<ItemRow> rows;
  rows.reserve(size_);
  for_each([&rows](const ItemRow& row) { rows.push_back(row); });
  return rows;
}

}  // namespace millrace::state
