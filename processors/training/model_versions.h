#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "processors/training/model_file.h"

namespace millrace::processors {

// The last trainings of each model, kept beside the file in use to go back to, as
// FOLDER/versions/NAME.VERSION, and .metrics: VERSION is the beginning of the file's checksum.
// Functions of the folder alone; whoever writes models, one at a time, calls them.

inline constexpr std::size_t kVersionsKept = 5;  // of a model, the one in use among them

struct ModelVersion {
  std::string name;
  std::string version;  // 16 hex digits
  bool in_use = false;
  Position position;
  UnixMillis trained = 0;
  std::uint64_t bytes = 0;
  std::string metrics;  // JSON text of an object: what its training said; empty: not known
};

// The file of this name in `folder` is one of its versions from now on, with what its training said
// (JSON text of an object); the oldest beyond kVersionsKept go, but never the one in use.
Status keep_version(const std::string& folder, std::string_view name, const std::string& metrics);
// All that are kept of a model, the newest first. Files that are damaged are left out.
std::vector<ModelVersion> model_versions(const std::string& folder, std::string_view name);
// Puts a version in use; empty: the one before the one in use. kNotFound: there is no such one.
Result<ModelVersion> promote_version(const std::string& folder, std::string_view name,
                                     const std::string& version);

}  // namespace millrace::processors
