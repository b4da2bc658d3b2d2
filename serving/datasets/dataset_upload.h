#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "schemas/access.h"
#include "schemas/dataset.h"
#include "schemas/position.h"
#include "serving/datasets/dataset_input.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

struct RowError {
  std::uint64_t line = 0;  // where the row starts, from 1
  Error error;
};

// What became of an uploaded file.
struct DatasetReport {
  std::uint64_t id = 0;
  Dataset dataset;  // its `rows` are the accepted ones and the duplicates
  std::uint64_t accepted = 0;
  std::uint64_t duplicates =
      0;  // taken in before: by an upload of the same file, or of its beginning
  std::vector<RowError> errors;  // the first kMaxErrors of those rejected
  Position position;
  static constexpr std::size_t kMaxErrors = 100;
};

// One file: its bytes come in on a connection's thread, its rows are read and appended on another,
// kBatch at a time, while they come.
class DatasetUpload {
 public:
  static constexpr std::size_t kBatch = 1'000;
  using Done = std::function<void(Result<DatasetReport>)>;

  DatasetUpload(const Deps& deps, std::optional<Actor> actor)
      : deps_(deps), actor_(std::move(actor)) {}

  DatasetInput& input() { return input_; }
  void set_name(std::string name);  // of the file; before its bytes
  // The answer is known, whatever may follow.
  bool over() const { return over_; }
  // Who hears of the end, now or when it comes; once.
  void when_done(Done done);
  // On the thread of its own.
  void run();

 private:
  Result<DatasetReport> take_in();
  Status read_rows(DatasetReport& report, DatasetType type);
  Status put_dataset(DatasetReport& report);

  const Deps deps_;
  const std::optional<Actor> actor_;
  DatasetInput input_;
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::string name_;
  std::optional<Result<DatasetReport>> result_;
  Done done_;
};

// Those that go on, each with its thread; at most `most`. Thread-safe. Destroyed, it breaks them
// off and waits for them.
class DatasetUploads {
 public:
  explicit DatasetUploads(std::size_t most) : most_(most) {}
  ~DatasetUploads();

  // Null: there are as many as may be.
  std::shared_ptr<DatasetUpload> begin(const Deps& deps, std::optional<Actor> actor);

 private:
  struct Running {
    std::shared_ptr<DatasetUpload> upload;
    std::shared_ptr<std::atomic<bool>> ended;
    std::jthread thread;
  };
  const std::size_t most_;
  std::mutex mutex_;
  std::list<Running> running_;
};

}  // namespace millrace::serving
