#include "serving/datasets/dataset_upload.h"

#include <algorithm>
#include <future>
#include <istream>

#include "ingest/importers/csv.h"
#include "schemas/catalog_record.h"
#include "serving/datasets/dataset_rows.h"

namespace millrace::serving {
namespace {

// Rows that go into the log together.
class Batch {
 public:
  explicit Batch(const Deps& deps) : deps_(deps) {}

  std::size_t size() const { return lines_.size() + records_.size(); }

  void add(std::uint64_t line, DatasetRow row) {
    if (auto* event = std::get_if<Event>(&row)) {
      lines_.push_back(line);
      events_.push_back({event->id, std::move(*event)});
    } else {
      records_.push_back({kCatalogPartition, {}, encode(std::get<CatalogRecord>(std::move(row)))});
    }
  }

  // Waits until all are durable. An error: nothing is known of these rows.
  Status flush(DatasetReport& report) {
    MILLRACE_CHECK(flush_events(report));
    MILLRACE_CHECK(flush_records(report));
    return {};
  }

  static void reject(DatasetReport& report, std::uint64_t line, Error error) {
    ++report.dataset.rejected;
    if (report.errors.size() < DatasetReport::kMaxErrors) {
      report.errors.push_back({line, std::move(error)});
    }
  }

 private:
  Status flush_events(DatasetReport& report) {
    if (events_.empty()) return {};
    std::promise<Result<ingest::Receipt>> answered;
    auto answer = answered.get_future();
    deps_.acceptor->accept(
        std::exchange(events_, {}),
        [&answered](Result<ingest::Receipt> receipt) { answered.set_value(std::move(receipt)); });
    const auto receipt = answer.get();
    if (!receipt) return tl::unexpected<Error>(receipt.error());
    report.accepted += receipt->appended.size();
    report.duplicates += receipt->duplicates;
    report.position.include(receipt->position);
    for (const auto& one : receipt->rejected) reject(report, lines_[one.index], one.error);
    lines_.clear();
    return {};
  }

  Status flush_records(DatasetReport& report) {
    if (records_.empty()) return {};
    const auto count = records_.size();
    MILLRACE_TRY(const auto offsets, deps_.log->append_and_wait(std::exchange(records_, {})));
    report.accepted += count;
    report.position.include(kCatalogPartition, offsets.back());
    return {};
  }

  const Deps& deps_;
  std::vector<std::uint64_t> lines_;  // of the events
  std::vector<EventOutcome> events_;
  std::vector<ingest::Append> records_;
};

tl::unexpected<Error> broken_off() {
  return fail(Code::kInvalid, "has broken off: send the file again, no row counts twice", "file");
}

}  // namespace

void DatasetUpload::set_name(std::string name) {
  const std::lock_guard lock(mutex_);
  name_ = std::move(name);
}

void DatasetUpload::when_done(Done done) {
  std::unique_lock lock(mutex_);
  if (!result_) {
    done_ = std::move(done);
    return;
  }
  auto result = *std::move(result_);
  lock.unlock();
  done(std::move(result));
}

void DatasetUpload::run() {
  auto result = take_in();
  over_ = true;
  input_.stop_reading();
  std::unique_lock lock(mutex_);
  if (!done_) {
    result_ = std::move(result);
    return;
  }
  const auto done = std::exchange(done_, nullptr);
  lock.unlock();
  done(std::move(result));
}

Result<DatasetReport> DatasetUpload::take_in() {
  const auto type = input_.type();
  if (!input_.whole()) return broken_off();
  if (!type) return fail(Code::kInvalid, "is required", "dataset_type");
  DatasetReport report;
  report.dataset.type = *type;
  MILLRACE_CHECK(read_rows(report, *type));
  if (!input_.whole()) return broken_off();
  report.dataset.bytes = input_.bytes();
  report.dataset.rows = report.accepted + report.duplicates;
  {
    const std::lock_guard lock(mutex_);
    report.dataset.name = name_;
  }
  MILLRACE_CHECK(put_dataset(report));
  return report;
}

// The last row of a file that has broken off may be half a row: it does not count.
Status DatasetUpload::read_rows(DatasetReport& report, DatasetType type) {
  ingest::CsvReader csv(std::make_unique<std::istream>(&input_));
  const bool any = csv.next();
  if (!input_.whole()) return broken_off();
  if (!any) return fail(Code::kInvalid, "is required, with a header line", "file");
  if (!csv.error().empty()) return fail(Code::kInvalid, csv.error(), "file");
  MILLRACE_TRY(auto rows, DatasetRows::of(type, csv.fields(), deps_));
  Batch batch(deps_);
  while (csv.next()) {
    if (!input_.whole()) return broken_off();
    auto row = rows.next(csv.fields());
    if (!csv.error().empty()) {
      Batch::reject(report, csv.line(), {Code::kInvalid, csv.error(), "row"});
    } else if (!row) {
      Batch::reject(report, csv.line(), row.error());
    } else {
      batch.add(csv.line(), *std::move(row));
    }
    if (batch.size() >= kBatch) MILLRACE_CHECK(batch.flush(report));
  }
  report.dataset.checksum = rows.checksum();
  MILLRACE_CHECK(batch.flush(report));
  std::stable_sort(report.errors.begin(), report.errors.end(),
                   [](const RowError& a, const RowError& b) { return a.line < b.line; });
  return {};
}

Status DatasetUpload::put_dataset(DatasetReport& report) {
  const auto command = deps_.ids->mint();
  MILLRACE_TRY(const auto offsets,
               deps_.log->append_and_wait(
                   {{kCatalogPartition,
                     {},
                     encode(CatalogRecord{command, PutDataset{report.dataset}, actor_})}}));
  report.position.include(kCatalogPartition, offsets.back());
  if (!deps_.engine->publisher().wait_reached(report.position, deps_.options.position_wait_ms)) {
    return fail(Code::kTimeout,
                "the rows are in the log but not visible yet: send the file again, "
                "no row counts twice");
  }
  const auto verdict = deps_.engine->catalog().verdict(command);
  if (!verdict || verdict->number == 0) {
    return fail(Code::kExhausted, "there are as many datasets as may be: delete some");
  }
  report.id = verdict->number;
  return {};
}

DatasetUploads::~DatasetUploads() {
  for (auto& one : running_) one.upload->input().close(false);
}

std::shared_ptr<DatasetUpload> DatasetUploads::begin(const Deps& deps, std::optional<Actor> actor) {
  const std::lock_guard lock(mutex_);
  running_.remove_if([](const Running& one) { return one.ended->load(); });
  if (running_.size() >= most_) return nullptr;
  auto upload = std::make_shared<DatasetUpload>(deps, std::move(actor));
  auto ended = std::make_shared<std::atomic<bool>>(false);
  running_.push_back({upload, ended, std::jthread([upload, ended] {
                        upload->run();
                        *ended = true;
                      })});
  return upload;
}

}  // namespace millrace::serving
