#pragma once
#include <cstddef>
#include <vector>

#include "base/result.h"
#include "ingest/acceptor.h"
#include "schemas/event_json.h"

namespace millrace::ingest {

// Records read from the public topic, and what may be done with them: what settle() needs of
// whatever carries them.
class SourceBatch {
 public:
  virtual ~SourceBatch() = default;
  virtual std::size_t size() const = 0;
  virtual Result<std::vector<EventOutcome>> events(std::size_t record) const = 0;
  virtual void bury(std::size_t record, const Error& reason) = 0;  // in the dead letters
  virtual Status flush() = 0;  // waits until everything buried is durable
  virtual void commit() = 0;   // moves the group's offsets behind the batch
  virtual bool pause() = 0;    // before the next try; false: there shall be none
};

// Tries until every record is in the log or in the dead letters, and only then commits: an offset
// is never committed before everything below it is acknowledged. What can be told to wait waits; a
// record that the log does not take is found and buried. Without commit when pause() says so.
void settle(SourceBatch& batch, const Acceptor& acceptor);

}  // namespace millrace::ingest
