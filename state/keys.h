#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/ids.h"

// The keys of a partition's database, drawn in state/KEYS.md. Nothing else builds or parses one.
namespace millrace::state::keys {

// Facts lie together, so that one scan in one snapshot sees them all.
inline constexpr char kFirstFact = 'X';
inline constexpr char kLastFact = 'f';

inline constexpr std::string_view kTrackedSums = "Z";
inline constexpr std::string_view kPeople = "a";
inline constexpr std::string_view kItemChunks = "d";
inline constexpr std::string_view kDictionary = "e";
inline constexpr std::string_view kRuleset = "f";
inline constexpr std::string_view kAttribution = "f/";
inline constexpr std::string_view kExperiments = "f;";
inline constexpr std::string_view kRecentAttribution = "f:";
inline constexpr std::string_view kDuplicates = "h";
inline constexpr std::string_view kDeadLetters = "i";
inline constexpr std::string_view kFormat = "m/format";
inline constexpr std::string_view kApplied = "m/applied";

std::string person(std::string_view user);
std::string row_page(std::string_view user, std::uint32_t number);
std::string history_page(std::string_view user, std::uint32_t number);
std::string item_chunk(std::uint32_t number);
std::string dictionary_page(std::uint32_t number);
std::string experiment(std::uint64_t key);
std::string attribution(std::string_view prefix, std::int32_t row);  // of the two above
std::string digest(Offset offset);
std::string duplicates(std::uint64_t first_sequence);
std::string dead_letter(Offset offset);
std::string dead_letters_of(std::string_view user);  // a prefix
std::string dead_letter_of(std::string_view user, Offset offset);
std::string profile(std::string_view user);

// What a person tracked: rows (the newest first), where each lies, and sums by weeks.
std::string tracked_rows(std::string_view user);  // a prefix, as the next two
std::string tracked_places(std::string_view user);
std::string tracked_sums(std::string_view user);
std::string tracked_row(std::string_view user, Offset id);
std::string tracked_place(std::string_view user, std::uint32_t type, std::string_view item);
std::string tracked_week(std::string_view user, std::uint32_t week);
Offset id_of_tracked_row(std::string_view key);
std::string_view user_of_tracked(std::string_view key);  // empty when it is none

bool is_fact(std::string_view key);
std::string_view user_of_person(std::string_view key);
// The number that ends a key: a page's, a chunk's, a sequence, an offset. Nothing when too short.
std::optional<std::uint32_t> number32(std::string_view key);
std::optional<std::uint64_t> number64(std::string_view key);

}  // namespace millrace::state::keys
