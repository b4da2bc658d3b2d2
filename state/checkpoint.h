#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "schemas/ids.h"
#include "state/digest.h"

namespace millrace::state {

// A consistent copy of all of a node's databases, with what it stands for. Made under a temporary
// name, everything fsynced, the manifest last, then renamed: a folder with a manifest is whole.
struct CheckpointManifest {
  struct Entry {
    Offset next_offset = 0;
    Digest digest;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::map<LogPartition, Entry> partitions;

  std::string text() const;
  static Result<CheckpointManifest> parse(std::string_view text);  // kCorrupt
  friend bool operator==(const CheckpointManifest&, const CheckpointManifest&) = default;
};

inline constexpr const char* kManifestName = "MANIFEST.millrace";

// Name of the folder that a partition's database has in a data folder and in a checkpoint.
std::string database_folder(LogPartition partition);

// Writes the manifest into `directory` and fsyncs it and every file beneath.
Status seal_checkpoint(const std::string& directory, const CheckpointManifest& manifest);
Result<CheckpointManifest> read_manifest(const std::string& directory);

// Checkpoints below `root`, oldest first, as paths. Unsealed ones are left out.
std::vector<std::string> list_checkpoints(const std::string& root);
// The path for the next checkpoint below `root`, and the one to build it under.
std::pair<std::string, std::string> next_checkpoint(const std::string& root);

Status sync_folder(const std::string& directory);  // fsyncs its entries

// Copies a folder with all beneath, fsynced. `to` must not exist.
Status copy_folder(const std::string& from, const std::string& to);

}  // namespace millrace::state
