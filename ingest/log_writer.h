#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "ingest/log_file.h"
#include "ingest/log_view.h"

namespace millrace::ingest {

enum class Durability {
  kFsync,  // an append is done once the device has it: survives a power cut
  kOs,     // an append is done once the system has it: survives kill -9, not a power cut
};

// How writing failed, and what the caller may say about the bytes.
struct WriteFailure {
  enum class Kind {
    kFull,                  // no space; nothing of the group is left, writing may be tried again
    kBroken,                // never write again in this process; nothing of the group is left
    kBrokenOutcomeUnknown,  // the same, but a restart may find the group
  };
  Kind kind = Kind::kFull;
  std::string detail;
};
using WriteStatus = tl::expected<void, WriteFailure>;

// The one writer of a log's files: appends groups to the newest segment and begins new ones. One
// thread at a time. After a kBroken… it must not be used again: a failed fsync cannot be repeated,
// since the system may have dropped the pages and would then report success.
class LogWriter {
 public:
  struct Options {
    std::string directory;
    std::uint64_t segment_bytes = 0;
    Durability durability = Durability::kFsync;
  };

  // Takes over the newest segment with its durable length. `files` and `fsync_seconds` must outlive
  // it.
  LogWriter(FileSystem& files, Options options, Histogram& fsync_seconds,
            std::shared_ptr<const Segment> segment, std::unique_ptr<File> file,
            std::uint64_t bytes);

  // Creates and syncs a segment, for a new log too.
  static Result<std::pair<std::shared_ptr<const Segment>, std::unique_ptr<File>>> create_segment(
      FileSystem& files, const std::string& directory, SegmentHeader header);

  // Whether a group of so many bytes belongs in a new segment.
  bool is_full(std::size_t group_bytes) const;
  // Seals the segment and begins the next, whose records start at `next` and are not older than
  // `time`.
  WriteStatus roll(std::vector<Offset> next, UnixMillis time);
  // Appends a group; when it returns well the group is as durable as asked for.
  WriteStatus write(std::string_view group);
  // Whether so many bytes could be written now.
  bool has_space(std::size_t bytes);

  const std::shared_ptr<const Segment>& segment() const { return segment_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status sync();
  WriteStatus roll_back(const Error& error);

  FileSystem& files_;
  Options options_;
  Histogram& fsync_seconds_;
  std::shared_ptr<const Segment> segment_;
  std::unique_ptr<File> file_;
  std::uint64_t bytes_ = 0;
};

// The name of segment `sequence`, and back (0: not a segment's name).
std::string segment_name(std::uint64_t sequence);
std::uint64_t segment_sequence(std::string_view name);

}  // namespace millrace::ingest
