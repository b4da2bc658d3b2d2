#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/ids.h"

namespace millrace {

// What an uploaded CSV file holds. Stored: never change a number.
enum class DatasetType : std::uint8_t { kInteractions = 1, kItems = 2, kUsers = 3 };
constexpr std::string_view dataset_type_name(DatasetType type) {
  switch (type) {
    case DatasetType::kInteractions: return "interactions";
    case DatasetType::kItems: return "items";
    case DatasetType::kUsers: return "users";
  }
  return "unknown";
}

// What is known of a CSV file that was taken in: its rows are events and items now.
struct Dataset {
  std::string name;  // of the file, as the client says
  DatasetType type = DatasetType::kInteractions;
  std::string checksum;  // 32 hex digits, of all its rows
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;  // accepted
  std::uint64_t rejected = 0;
  friend bool operator==(const Dataset&, const Dataset&) = default;
};

// ---- Changes in the catalog's log.

// A new dataset, which gets a number from 1, or the one of that type and checksum again.
struct PutDataset {
  Dataset dataset;
  friend bool operator==(const PutDataset&, const PutDataset&) = default;
};

// It is no longer listed; what its rows became stays.
struct DeleteDataset {
  std::uint64_t id = 0;
  friend bool operator==(const DeleteDataset&, const DeleteDataset&) = default;
};

// What is said of a person, not done by them. It goes when the person is erased.
struct PersonNote {
  std::vector<std::string> labels{};
  std::vector<std::string> genres{};  // categories they say they like, the dearest first
  std::string attributes;             // JSON text of an object; empty: none
  friend bool operator==(const PersonNote&, const PersonNote&) = default;
};

// Replaces what was said before.
struct DescribePerson {
  UserId user;
  PersonNote note;
  friend bool operator==(const DescribePerson&, const DescribePerson&) = default;
};

}  // namespace millrace
