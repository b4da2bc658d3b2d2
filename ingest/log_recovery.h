#pragma once
#include <deque>
#include <string>
#include <vector>

#include "ingest/log_file.h"
#include "ingest/log_view.h"

namespace millrace::ingest {

struct RecoveredLog {
  std::deque<LogView::Entry> segments;  // empty: there is no log here yet
  std::vector<Offset> next;
  UnixMillis time = 0;  // no later record may be older
};

// Finds the log in `directory` and, for writing, makes its newest segment end with the last whole
// append, durably. kCorrupt, naming file and byte, when something that was durable is missing or
// damaged; kInvalid for another format. Older segments are checked for presence, order and length;
// their records when they are read.
Result<RecoveredLog> recover_log(FileSystem& files, const std::string& directory, LogAccess access);

}  // namespace millrace::ingest
