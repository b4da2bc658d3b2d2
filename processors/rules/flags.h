#pragma once
#include "state/pages.h"

namespace millrace::processors {

// Both answer whether the row changed.
inline bool set_flag(state::ItemRow& row, state::RowFlag flag) {
  if (row.has(flag)) return false;
  row.flags = static_cast<std::uint8_t>(row.flags | flag);
  return true;
}

inline bool clear_flag(state::ItemRow& row, state::RowFlag flag) {
  if (!row.has(flag)) return false;
  row.flags = static_cast<std::uint8_t>(row.flags & ~flag);
  return true;
}

}  // namespace millrace::processors
