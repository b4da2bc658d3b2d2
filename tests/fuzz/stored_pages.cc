// Stored bytes of every kind that a partition reads back: the first byte says which decoder.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "state/history.h"
#include "state/page_codec.h"
#include "state/tracked.h"

namespace {

using namespace millrace::state;

// What could be read is written, read and written again: the bytes must not move any more.
template <class Decode, class Encode>
void settle(std::string_view bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value) return;
  const std::string once(encode(*value));
  const auto again = decode(once);
  if (!again || once != encode(*again)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  PageEncoder encoder;
  switch (data[0]) {
    case 'p': {
      const auto person = decode_person(bytes);
      if (!person || person->pages.size() > 1) break;
      settle(bytes, decode_person, [&](const Person& p) { return encoder.person(p); });
      Person changed = *person;
      ItemRow row = changed.row(7);
      row.order = 1;
      changed.put(row);  // an odd page must not break the next change
      break;
    }
    case 'r':
      settle(bytes, decode_row_page, [&](const auto& page) { return encoder.row_page(*page); });
      break;
    case 'i':
      settle(bytes, decode_item_chunk,
             [&](const auto& chunk) { return encoder.item_chunk(*chunk); });
      break;
    case 'd':
      settle(bytes, decode_duplicates, [&](const auto& ids) { return encoder.duplicates(ids); });
      break;
    case 'l':
      settle(bytes, decode_dead_letter,
             [&](const auto& dead) { return encoder.dead_letter(dead); });
      break;
    case 'a':
      settle(bytes, decode_applied, [](const AppliedRow& row) { return encode(row); });
      break;
    case 'v': {
      CatalogNames names;
      settle(
          bytes, [&](std::string_view b) { return decode_profile(b, names); },
          [&](const auto& profile) { return encoder.profile(*profile, names); });
      break;
    }
    case 'h': {
      HistoryGatherer gatherer({});
      if (gatherer.add_page(bytes)) (void)newest_log_time(bytes);
      break;
    }
    case 't':
      settle(
          bytes, [](std::string_view b) { return decode_tracked_row(b, 7); },
          [](const TrackedRow& row) { return encode(row); });
      break;
    case 'w':
      settle(bytes, decode_tracked_sums,
             [](const std::vector<TrackedSums>& sums) { return encode(sums); });
      break;
    default: (void)decode_dictionary_page(bytes);
  }
  return 0;
}
