#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "ingest/event_log.h"
#include "ingest/segment.h"

namespace millrace::ingest {

// One file of the log. Immutable: what grows is kept by LogView.
struct Segment {
  SegmentHeader header;
  std::string path;
  std::uint32_t salt = 0;
};

// Where some of a segment's records begin, one in 64 records or 64 KiB of each partition.
class SegmentIndex {
 public:
  explicit SegmentIndex(std::size_t slots) : by_slot_(slots) {}
  void add(std::size_t slot, Offset offset, std::uint64_t position);
  void drop_from(std::uint64_t position);
  // The nearest known record of the slot at or before `offset`.
  std::optional<std::pair<Offset, std::uint64_t>> floor(std::size_t slot, Offset offset) const;

 private:
  struct Entry {
    Offset offset;
    std::uint32_t position;
  };
  std::vector<std::vector<Entry>> by_slot_;
};

// The newest records, so that readers at the end touch no file. Not thread-safe.
class LogTail {
 public:
  LogTail(std::size_t slots, std::size_t max_bytes) : by_slot_(slots), max_bytes_(max_bytes) {}
  void push(std::size_t slot, StoredRecord record);
  bool holds(std::size_t slot, Offset offset) const;
  std::vector<StoredRecord> read(std::size_t slot, Offset from, std::size_t max_records,
                                 std::size_t max_bytes) const;

 private:
  std::vector<std::deque<StoredRecord>> by_slot_;
  std::deque<std::uint16_t> order_;  // slots, oldest record first
  std::size_t bytes_ = 0;
  std::size_t max_bytes_;
};

struct WrittenRecord {
  std::size_t slot = 0;
  std::uint64_t position = 0;
  StoredRecord record;
};

// What readers may see: the durable part of the log. Thread-safe; a publish excludes readers for
// the time it takes to move the records in.
class LogView {
 public:
  struct Entry {
    std::shared_ptr<const Segment> segment;
    std::uint64_t bytes = 0;              // durable length
    std::shared_ptr<SegmentIndex> index;  // absent for old segments that nobody has searched yet
  };

  // `segments` is not empty, in order; `next` by slot.
  LogView(std::deque<Entry> segments, std::vector<Offset> next, std::size_t tail_bytes);

  void add_segment(std::shared_ptr<const Segment> segment, std::uint64_t bytes);
  // The newest segment now has `bytes`, the last of them `records`.
  void publish(std::uint64_t bytes, std::vector<WrittenRecord> records);
  // Takes segments away from the front while every slot's `keep_from` lies behind them; never the
  // newest.
  std::vector<std::shared_ptr<const Segment>> trim(std::span<const Offset> keep_from);

  Offset start(std::size_t slot) const;
  Offset end(std::size_t slot) const;
  std::uint64_t total_bytes() const;

  // The records from memory, when the tail holds `from`.
  std::optional<std::vector<StoredRecord>> read_tail(std::size_t slot, Offset from,
                                                     std::size_t max_records,
                                                     std::size_t max_bytes) const;
  bool tail_holds(std::size_t slot, Offset offset) const;

  struct Place {
    std::shared_ptr<const Segment> segment;
    std::uint64_t bytes = 0;     // durable length now
    Offset offset = 0;           // the slot's record at or behind `position`
    std::uint64_t position = 0;  // where to start looking
    bool indexed = false;
  };
  // The segment that holds `offset`, which is in [start, end).
  std::optional<Place> locate(std::size_t slot, Offset offset) const;
  std::optional<std::uint64_t> bytes_of(std::uint64_t sequence) const;  // nothing once trimmed
  void keep_index(std::uint64_t sequence, std::shared_ptr<SegmentIndex> index);

 private:
  const Entry* find(std::uint64_t sequence) const;
  void forget_old_indexes();

  mutable std::shared_mutex mutex_;
  std::deque<Entry> segments_;
  std::vector<Offset> next_;
  std::uint64_t total_bytes_ = 0;
  LogTail tail_;
};

}  // namespace millrace::ingest
