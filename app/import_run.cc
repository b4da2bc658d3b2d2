#include "app/import_run.h"

#include "app/import_batch.h"

namespace millrace::app {
namespace {

void add(ImportTotals& sum, const ImportTotals& more) {
  sum.items_created += more.items_created;
  sum.items_replaced += more.items_replaced;
  sum.events_accepted += more.events_accepted;
  sum.duplicates += more.duplicates;
  sum.rejected += more.rejected;
}

class Run {
 public:
  Run(Target& target, const std::vector<ingest::ImportPart>& parts, const ImportOptions& options)
      : target_(&target), parts_(&parts), options_(&options) {
    mark_.fingerprint = options.fingerprint;
  }

  Result<ImportOutcome> run() {
    MILLRACE_CHECK(take_up());
    for (; mark_.part < parts_->size(); next_part()) {
      MILLRACE_CHECK(run_part((*parts_)[mark_.part]));
      if (outcome_.stopped) break;
    }
    outcome_.totals = mark_.totals;
    if (!outcome_.stopped && options_->resume) options_->resume->remove();
    return outcome_;
  }

 private:
  void next_part() {
    ++mark_.part;
    mark_.rows = 0;
    mark_.previous = 0;
    reader_.reset();
  }

  // Goes to where an earlier session stopped, if the target knows what was sent then.
  Status take_up() {
    const auto found = options_->resume ? options_->resume->load() : std::nullopt;
    if (!found || found->fingerprint != mark_.fingerprint || found->part >= parts_->size()) {
      return {};
    }
    MILLRACE_TRY(const bool known, is_known(*found));
    if (!known) {
      options_->on_note("the target does not hold what an earlier session sent: from the start");
      reader_.reset();
      return {};
    }
    mark_ = *found;
    outcome_.resumed_at = mark_.rows;
    options_->on_note("resumed behind row " + std::to_string(mark_.rows) + " of " +
                      (*parts_)[mark_.part].name);
    return {};
  }

  // Leaves the reader behind the mark's rows.
  Result<bool> is_known(const ImportMark& mark) {
    const auto& part = (*parts_)[mark.part];
    MILLRACE_TRY(reader_, part.open());
    for (std::uint64_t row = 0; row < mark.previous; ++row) {
      if (!reader_->next()) return false;
    }
    const std::uint64_t again = mark.rows - mark.previous;
    auto batch = read_batch(*reader_, again, static_cast<std::size_t>(-1));
    if (batch.rows != again) return false;
    MILLRACE_TRY(const auto verdict, send_batch(*target_, part.kind, std::move(batch)));
    return verdict.totals.items_created == 0 && verdict.totals.events_accepted == 0;
  }

  Status run_part(const ingest::ImportPart& part) {
    if (!reader_) {
      MILLRACE_TRY(reader_, part.open());
    }
    for (;;) {
      if (options_->stop()) {
        outcome_.stopped = true;
        return {};
      }
      auto batch = read_batch(*reader_, options_->batch_rows, options_->batch_bytes);
      const bool last = batch.last;
      const std::uint64_t rows = batch.rows;
      MILLRACE_TRY(const auto verdict, send_batch(*target_, part.kind, std::move(batch)));
      for (const auto& failure : verdict.failures) options_->on_failure(failure);
      add(mark_.totals, verdict.totals);
      if (rows > 0) mark_.previous = mark_.rows;
      mark_.rows += rows;
      sent_ += rows;
      save_mark();
      options_->on_progress({part.name, reader_->progress(), sent_, mark_.totals.rejected});
      if (last) return {};
    }
  }

  void save_mark() {
    if (!options_->resume || !can_save_) return;
    const auto saved = options_->resume->save(mark_);
    can_save_ = saved.has_value();
    if (!can_save_) options_->on_note(saved.error().detail + "; this import cannot be resumed");
  }

  Target* target_;
  const std::vector<ingest::ImportPart>* parts_;
  const ImportOptions* options_;
  ImportMark mark_;
  ImportOutcome outcome_;
  std::unique_ptr<ingest::ImportReader> reader_;  // of the part at hand, behind its mark
  std::uint64_t sent_ = 0;
  bool can_save_ = true;
};

}  // namespace

std::string RowFailure::text() const {
  return file + ":" + std::to_string(line) + ": " + (field.empty() ? "" : field + ": ") + rule;
}

Result<ImportOutcome> run_import(Target& target, const std::vector<ingest::ImportPart>& parts,
                                 const ImportOptions& options) {
  return Run(target, parts, options).run();
}

}  // namespace millrace::app
