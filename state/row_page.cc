#include "state/row_page.h"

#include <algorithm>

#include "schemas/wire.h"

namespace millrace::state {
namespace {

using wire::get_varint;
using wire::unzigzag;
using wire::zigzag;

// Of `row`, behind its length.
void pack(const ItemRow& row, std::string& out) {
  wire::Writer write(out);
  write.varint(row.item);
  write.varint(row.flags);
  write.varint(zigzag(row.rating_centi));
  write.varint(row.order);
  write.varint(zigzag(row.last_time));
  write.varint(row.counts.size());
  for (const TypeCount& count : row.counts) {
    write.varint(count.type);
    write.varint(count.count);
  }
  for (const auto& share : row.trend) {
    write.varint(zigzag(share.epoch));
    write.varint(zigzag(share.newer));
    write.varint(zigzag(share.older));
  }
}

void append(const ItemRow& row, std::string& out) {
  static thread_local std::string body;
  body.clear();
  pack(row, body);
  wire::Writer(out).varint(body.size());
  out.append(body);
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

std::optional<ItemRow> RowPage::find(ItemNumber item) const {
  const Place place = place_of(packed_, item);
  if (place.begin == place.end) return std::nullopt;
  const char* at = packed_.data() + place.begin;
  return take(at);
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
