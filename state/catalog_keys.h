#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/ids.h"

namespace millrace::state::catalog_keys {

// Rows of the catalog's RocksDB, told apart by their first byte (stored: never change one). Numbers
// are big-endian, so that keys sort by them.
inline constexpr char kFormat = 'V';      // -> decimal text
inline constexpr char kApplied = 'A';     // -> CatalogApplied
inline constexpr char kDeadLetter = 'D';  // offset -> DeadLetter
inline constexpr char kOutcome = 'O';     // sequence -> 16 bytes of hash, 1 of outcome, 8 of number
inline constexpr char kTrail = 'T';       // offset -> JournalRow: changes by administrators
inline constexpr char kAnomaly = 'F';     // offset -> JournalRow
inline constexpr char kReport = 'R';      // offset -> JournalRow: audits
// Facts:
inline constexpr char kAccount = 'a';      // number -> AccountRow
inline constexpr char kBlock = 'b';        // 16 bytes of address, 1 of bits -> BlockRow
inline constexpr char kRate = 'c';         // currency -> digits of its minor unit, space, rate
inline constexpr char kExperiment = 'e';   // id -> ExperimentRow
inline constexpr char kGenre = 'g';        // number -> name
inline constexpr char kItem = 'i';         // id -> CatalogItemRow
inline constexpr char kDemand = 'd';       // catalog offset -> user; of a merge: and 0, into whom
inline constexpr char kHighest = 'n';      // kind -> 8 bytes
inline constexpr char kPersonNote = 'p';   // user -> PersonNoteRow
inline constexpr char kRankingRule = 'r';  // id -> RankingRule
inline constexpr char kDataset = 's';      // number -> DatasetRow
inline constexpr char kToken = 't';        // number -> TokenRow
inline constexpr char kBlend = 'w';        // -> KeptBlendRow
inline constexpr char kFacts[] = {kAccount, kBlock,       kRate,    kDemand, kExperiment,
                                  kGenre,   kItem,        kHighest, kToken,  kPersonNote,
                                  kDataset, kRankingRule, kBlend};

inline std::string big_endian(std::uint64_t number) {
  std::string out(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8) out[i] = static_cast<char>(number & 0xff);
  return out;
}

// 0 unless `bytes` are eight.
inline std::uint64_t from_big_endian(std::string_view bytes) {
  if (bytes.size() != 8) return 0;
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<std::uint8_t>(c);
  return number;
}

inline std::string of(char row) { return std::string(1, row); }
inline std::string of(char row, std::string_view name) { return of(row).append(name); }
inline std::string of(char row, std::uint64_t number) { return of(row) + big_endian(number); }

}  // namespace millrace::state::catalog_keys
