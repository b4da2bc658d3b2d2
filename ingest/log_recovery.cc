#include "ingest/log_recovery.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "ingest/log_writer.h"

namespace millrace::ingest {
namespace {

struct Found {
  std::shared_ptr<const Segment> segment;
  std::uint64_t bytes = 0;
};

tl::unexpected<Error> corrupt(const std::string& path, std::uint64_t at, const std::string& why) {
  return fail(Code::kCorrupt, path + " is corrupt at byte " + std::to_string(at) + ": " + why +
                                  ". Restore the log from a backup");
}

Result<std::vector<std::uint64_t>> sequences_in(FileSystem& files, const std::string& directory) {
  MILLRACE_TRY(const std::vector<std::string> names, files.list(directory));
  std::vector<std::uint64_t> sequences;
  for (const auto& name : names) {
    if (const auto sequence = segment_sequence(name); sequence > 0) sequences.push_back(sequence);
  }
  std::sort(sequences.begin(), sequences.end());
  for (std::size_t i = 1; i < sequences.size(); ++i) {
    if (sequences[i] != sequences[i - 1] + 1) {
      return corrupt(directory + "/" + segment_name(sequences[i - 1] + 1), 0,
                     "the segment is missing");
    }
  }
  return sequences;
}

Result<Found> inspect(FileSystem& files, const std::string& directory, std::uint64_t sequence) {
  auto segment = std::make_shared<Segment>();
  segment->path = directory + "/" + segment_name(sequence);
  MILLRACE_TRY(const auto file, files.open(segment->path, FileMode::kRead));
  MILLRACE_TRY(const std::uint64_t bytes, file->size());
  std::string head(std::min<std::uint64_t>(bytes, segment_header_bytes(kMaxLogPartitions)), '\0');
  MILLRACE_TRY(const std::size_t got, file->read_at(0, head));
  head.resize(got);
  auto header = decode_segment_header(head);
  if (!header.has_value()) {
    if (header.error().code == Code::kCorrupt)
      return corrupt(segment->path, 0, header.error().detail);
    return fail(header.error().code, segment->path + ": " + header.error().detail);
  }
  if (header->sequence != sequence) return corrupt(segment->path, 24, "it is another segment");
  segment->salt = segment_salt(*header);
  segment->header = std::move(*header);
  return Found{.segment = std::move(segment), .bytes = bytes};
}

Status check_follows(const Found& before, const Found& after) {
  const SegmentHeader& a = before.segment->header;
  const SegmentHeader& b = after.segment->header;
  const std::string& path = after.segment->path;
  if (a.identity != b.identity || a.interaction_partitions != b.interaction_partitions) {
    return corrupt(path, 16, "it belongs to another log");
  }
  if (b.previous_bytes != before.bytes) {
    return corrupt(before.segment->path, std::min(before.bytes, b.previous_bytes),
                   "it has " + std::to_string(before.bytes) + " bytes and had " +
                       std::to_string(b.previous_bytes));
  }
  if (!std::equal(a.next.begin(), a.next.end(), b.next.begin(), std::less_equal<>())) {
    return corrupt(path, 0, "offsets fall");
  }
  return {};
}

Result<std::vector<Found>> inspect_all(FileSystem& files, const std::string& directory) {
  MILLRACE_TRY(const std::vector<std::uint64_t> sequences, sequences_in(files, directory));
  std::vector<Found> found;
  for (const auto sequence : sequences) {
    MILLRACE_TRY(Found next, inspect(files, directory, sequence));
    if (!found.empty()) MILLRACE_CHECK(check_follows(found.back(), next));
    found.push_back(std::move(next));
  }
  return found;
}

Result<std::string> whole_file(FileSystem& files, const Found& found) {
  MILLRACE_TRY(const auto file, files.open(found.segment->path, FileMode::kRead));
  std::string bytes(found.bytes, '\0');
  MILLRACE_TRY(const std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  return bytes;
}

// Ends the newest segment with its last whole append.
Result<RecoveredLog> scan_newest(FileSystem& files, const Found& newest) {
  MILLRACE_TRY(const std::string bytes, whole_file(files, newest));
  const SegmentHeader& header = newest.segment->header;
  auto index = std::make_shared<SegmentIndex>(header.next.size());
  auto scan = scan_segment(bytes, header, [&](const SegmentRecord& record, std::uint64_t at) {
    index->add(*slot_of(record.partition, header.interaction_partitions), record.offset, at);
  });
  if (scan.tail == SegmentScan::Tail::kCorrupt) {
    return corrupt(newest.segment->path, scan.bad_at, "synced records around here are damaged");
  }
  if (scan.tail == SegmentScan::Tail::kTorn) {
    log_warn(newest.segment->path + ": dropping " + std::to_string(bytes.size() - scan.good_bytes) +
             " bytes from byte " + std::to_string(scan.good_bytes) +
             " on, the rest of a write that was cut short and never acknowledged");
    index->drop_from(scan.good_bytes);
  }
  RecoveredLog log{.segments = {}, .next = std::move(scan.next), .time = scan.time};
  log.segments.push_back({newest.segment, scan.good_bytes, std::move(index)});
  return log;
}

// What a process that was killed had written may still be in the system's memory only, and is about
// to be shown to readers.
Status make_durable(FileSystem& files, const std::string& directory, const RecoveredLog& log) {
  for (const auto& entry : log.segments) {
    MILLRACE_TRY(const auto file, files.open(entry.segment->path, FileMode::kReadWrite));
    MILLRACE_TRY(const std::uint64_t bytes, file->size());
    if (bytes != entry.bytes) MILLRACE_CHECK(file->truncate(entry.bytes));
    MILLRACE_CHECK(file->sync());
  }
  return files.sync_directory(directory);
}

}  // namespace

Result<RecoveredLog> recover_log(FileSystem& files, const std::string& directory,
                                 LogAccess access) {
  MILLRACE_TRY(const std::vector<Found> found, inspect_all(files, directory));
  if (found.empty()) return RecoveredLog{};
  MILLRACE_TRY(RecoveredLog log, scan_newest(files, found.back()));
  for (auto it = found.rbegin() + 1; it != found.rend(); ++it) {
    log.segments.push_front({it->segment, it->bytes, nullptr});
  }
  if (access == LogAccess::kWrite) MILLRACE_CHECK(make_durable(files, directory, log));
  return log;
}

}  // namespace millrace::ingest
