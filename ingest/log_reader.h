#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/log_file.h"
#include "ingest/log_view.h"

namespace millrace::ingest {

// Reads records back from the segment files. A reader that goes on where the last read of its
// partition ended finds the file open and the next bytes read ahead. Thread-safe.
class LogReader {
 public:
  // Both must outlive it.
  LogReader(FileSystem& files, LogView& view, std::size_t slots)
      : files_(files), view_(view), slots_(slots) {}

  // Records in [from, end), from `from` on; as EventLog::read.
  Result<std::vector<StoredRecord>> read(std::size_t slot, Offset from, Offset end,
                                         std::size_t max_records, std::size_t max_bytes);

  // Closes the files kept open between reads, so that removed ones give their space back.
  void close_idle();

 private:
  struct Cursor {
    std::shared_ptr<const Segment> segment;
    std::unique_ptr<File> file;
    std::uint64_t limit = 0;     // durable length when last asked
    std::uint64_t position = 0;  // of the next record to look at
    Offset next = 0;             // the slot's first offset at or behind `position`
    std::string buffer;          // file bytes from `buffer_at` on
    std::uint64_t buffer_at = 0;
  };
  struct Slot {
    std::mutex mutex;
    std::unique_ptr<Cursor> idle;  // where the last read ended
    Offset corrupt_at = -1;        // nothing from here on is ever returned
    std::string corruption;
  };

  Result<std::unique_ptr<Cursor>> cursor_for(std::size_t slot, Offset from);
  Result<std::unique_ptr<Cursor>> seek(std::size_t slot, Offset from);
  Result<StoredRecord> next_record(std::size_t slot, Cursor& cursor, Offset wanted);
  Result<std::string_view> bytes_at(Cursor& cursor, std::size_t wanted);
  void build_index(const Cursor& at);
  Error corrupt(std::size_t slot, const Cursor& cursor, Offset wanted, std::string_view why);

  FileSystem& files_;
  LogView& view_;
  std::vector<Slot> slots_;
};

}  // namespace millrace::ingest
