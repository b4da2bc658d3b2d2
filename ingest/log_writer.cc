#include "ingest/log_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/clock.h"
#include "base/crash_point.h"

namespace millrace::ingest {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kDigits = 12;
constexpr std::size_t kProbeBytes = 64u << 10;

tl::unexpected<WriteFailure> broken(WriteFailure::Kind kind, const Error& error) {
  return tl::unexpected<WriteFailure>({kind, error.detail});
}

}  // namespace

std::string segment_name(std::uint64_t sequence) {
  std::string digits = std::to_string(sequence);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

std::uint64_t segment_sequence(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  name.remove_prefix(kPrefix.size());
  if (name.size() < kDigits + kSuffix.size()) return 0;
  name.remove_suffix(kSuffix.size());
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), sequence);
  return error == std::errc() && end == name.data() + name.size() ? sequence : 0;
}

LogWriter::LogWriter(FileSystem& files, Options options, Histogram& fsync_seconds,
                     std::shared_ptr<const Segment> segment, std::unique_ptr<File> file,
                     std::uint64_t bytes)
    : files_(files),
      options_(std::move(options)),
      fsync_seconds_(fsync_seconds),
      segment_(std::move(segment)),
      file_(std::move(file)),
      bytes_(bytes) {}

Result<std::pair<std::shared_ptr<const Segment>, std::unique_ptr<File>>> LogWriter::create_segment(
    FileSystem& files, const std::string& directory, SegmentHeader header) {
  auto segment = std::make_shared<Segment>();
  segment->path = directory + "/" + segment_name(header.sequence);
  segment->salt = segment_salt(header);
  segment->header = std::move(header);
  // Under another name until the header is durable, so that a segment always has a whole one.
  const std::string draft = segment->path + ".new";
  (void)files.remove(draft).has_value();  // what an attempt cut short may have left
  {
    MILLRACE_TRY(const auto file, files.open(draft, FileMode::kCreateNew));
    crash_point("log_roll_created");
    MILLRACE_CHECK(file->write_at(0, encode(segment->header)));
    crash_point("log_roll_written");
    MILLRACE_CHECK(file->sync());
  }
  // From here on the segment may exist, so "try again" is no answer any more.
  const auto final_error = [](Error error) {
    if (error.code == Code::kExhausted) error.code = Code::kIo;
    return tl::unexpected(std::move(error));
  };
  auto named = files.rename(draft, segment->path);
  if (named.has_value()) named = files.sync_directory(directory);
  if (!named.has_value()) return final_error(std::move(named.error()));
  crash_point("log_roll_synced");
  auto file = files.open(segment->path, FileMode::kReadWrite);
  if (!file.has_value()) return final_error(std::move(file.error()));
  return std::pair{std::shared_ptr<const Segment>(segment), std::move(*file)};
}

bool LogWriter::is_full(std::size_t group_bytes) const {
  const auto empty = segment_header_bytes(segment_->header.interaction_partitions);
  return bytes_ > empty && bytes_ + group_bytes > options_.segment_bytes;
}

Status LogWriter::sync() {
  const std::int64_t begin = steady_micros();
  auto status = file_->sync();
  fsync_seconds_.observe(static_cast<double>(steady_micros() - begin) * 1e-6);
  return status;
}

WriteStatus LogWriter::roll(std::vector<Offset> next, UnixMillis time) {
  // A sealed segment is always durable: recovery forgives a torn end in the newest one only.
  if (options_.durability == Durability::kOs) {
    if (auto synced = sync(); !synced.has_value()) {
      return broken(WriteFailure::Kind::kBroken, synced.error());
    }
  }
  const SegmentHeader& old = segment_->header;
  auto made = create_segment(files_, options_.directory,
                             {.identity = old.identity,
                              .sequence = old.sequence + 1,
                              .previous_bytes = bytes_,
                              .time_floor = time,
                              .interaction_partitions = old.interaction_partitions,
                              .next = std::move(next)});
  if (!made.has_value()) {
    const bool full = made.error().code == Code::kExhausted;
    return broken(full ? WriteFailure::Kind::kFull : WriteFailure::Kind::kBroken, made.error());
  }
  segment_ = std::move(made->first);
  file_ = std::move(made->second);
  bytes_ = segment_header_bytes(segment_->header.interaction_partitions);
  return {};
}

WriteStatus LogWriter::write(std::string_view group) {
  crash_point("log_before_write");
  Status written;
  if (crash_point_armed("log_half_group")) {
    const std::size_t half = group.size() / 2;
    written = file_->write_at(bytes_, group.substr(0, half));
    crash_point("log_half_group");
    if (written.has_value()) written = file_->write_at(bytes_ + half, group.substr(half));
  } else {
    written = file_->write_at(bytes_, group);
  }
  if (!written.has_value()) return roll_back(written.error());
  crash_point("log_after_write");
  if (options_.durability == Durability::kFsync) {
    if (auto synced = sync(); !synced.has_value()) {
      return broken(WriteFailure::Kind::kBrokenOutcomeUnknown, synced.error());
    }
  }
  crash_point("log_after_sync");
  bytes_ += group.size();
  return {};
}

// Durable as well: a part of the group that came back with a power cut would be an append that was
// reported as failed.
WriteStatus LogWriter::roll_back(const Error& error) {
  auto undone = file_->truncate(bytes_);
  if (undone.has_value()) undone = sync();
  if (!undone.has_value()) {
    return broken(WriteFailure::Kind::kBrokenOutcomeUnknown, undone.error());
  }
  const bool full = error.code == Code::kExhausted;
  return broken(full ? WriteFailure::Kind::kFull : WriteFailure::Kind::kBroken, error);
}

bool LogWriter::has_space(std::size_t bytes) {
  const std::string path = options_.directory + "/space-probe";
  (void)files_.remove(path).has_value();
  auto file = files_.open(path, FileMode::kCreateNew);
  const bool fits =
      file.has_value() &&
      (*file)->write_at(0, std::string(std::max(bytes, kProbeBytes), '\1')).has_value();
  if (file.has_value()) (void)files_.remove(path).has_value();
  return fits;
}

}  // namespace millrace::ingest
