#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "app/import_run.h"
#include "app/interrupt.h"
#include "app/open_target.h"
#include "app/progress.h"
#include "app/verbs.h"
#include "ingest/importers/movielens.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct ImportFlags {
  std::string format;
  std::string path;
  TargetFlags target;
  std::size_t batch = 5000;
  std::size_t errors = 20;
  std::string resume_file;
  bool restart = false;
};

Result<std::vector<ingest::ImportPart>> parts_of(const ImportFlags& flags) {
  return ingest::movielens_parts(flags.path);
}

std::string fingerprint_of(const ImportFlags& flags, const std::vector<ingest::ImportPart>& parts,
                           const std::string& target) {
  std::vector<std::string> files;
  for (const auto& part : parts) files.insert(files.end(), part.files.begin(), part.files.end());
  return import_fingerprint(files, flags.format, target);
}

void print_json(const ImportTotals& totals, const ImportOutcome& outcome, double seconds,
                std::uint64_t rows) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("items_created", totals.items_created);
  out.member("items_replaced", totals.items_replaced);
  out.member("events_accepted", totals.events_accepted);
  out.member("duplicates", totals.duplicates);
  out.member("rejected", totals.rejected);
  out.member("finished", !outcome.stopped);
  out.member("seconds", seconds);
  out.member("rows_per_second", seconds > 0 ? static_cast<double>(rows) / seconds : 0.0);
  out.end_object();
  std::cout << text << std::endl;
}

void print_text(const ImportTotals& totals, double seconds, std::uint64_t rows) {
  std::cout << totals.items_created + totals.items_replaced << " items put ("
            << totals.items_created << " new), " << totals.events_accepted << " events accepted, "
            << totals.duplicates << " duplicates, " << totals.rejected << " rejected, in "
            << static_cast<double>(static_cast<long>(seconds * 10)) / 10 << " s ("
            << static_cast<long>(seconds > 0 ? static_cast<double>(rows) / seconds : 0)
            << " rows/s)" << std::endl;
}

class ImportVerb {
 public:
  explicit ImportVerb(const ImportFlags& flags)
      : flags_(&flags), progress_(std::cerr, stderr_is_terminal()) {}

  int run() {
    const auto outcome = import();
    progress_.finish();
    if (!outcome.has_value()) {
      std::cerr << "millrace import: " << outcome.error().detail << "\n";
      return outcome.error().field == "path" || outcome.error().field == "url" ? kUsage : kFailed;
    }
    return report(*outcome);
  }

 private:
  Result<ImportOutcome> import() {
    MILLRACE_TRY(const auto parts, parts_of(*flags_));
    MILLRACE_TRY(const auto target, open_target(flags_->target, retry_policy()));
    ImportOptions options;
    options.batch_rows = flags_->batch;
    options.fingerprint = fingerprint_of(*flags_, parts, target->name());
    options.resume =
        ResumeFile(flags_->resume_file.empty() ? default_resume_path(options.fingerprint)
                                               : flags_->resume_file);
    if (flags_->restart) options.resume->remove();
    options.stop = [this] { return interrupt_.requested(); };
    options.on_note = [this](const std::string& note) { progress_.say("import: " + note); };
    options.on_failure = [this](const RowFailure& failure) { show(failure); };
    options.on_progress = [this](const ImportProgress& progress) {
      rows_ = progress.rows;
      progress_.update(progress.part, progress.share, progress.rows);
    };
    return run_import(*target, parts, options);
  }

  RetryPolicy retry_policy() {
    RetryPolicy retry;
    retry.may_wait = [this](std::chrono::milliseconds wait, const std::string& why) {
      progress_.say("import: " + why + "; trying again in " + std::to_string(wait.count()) + " ms");
      return !interrupt_.requested();
    };
    return retry;
  }

  void show(const RowFailure& failure) {
    if (++failures_ <= flags_->errors) progress_.say(failure.text());
    if (failures_ == flags_->errors + 1) progress_.say("further errors are only counted");
  }

  int report(const ImportOutcome& outcome) const {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (flags_->target.client->json) {
      print_json(outcome.totals, outcome, seconds, rows_);
    } else {
      print_text(outcome.totals, seconds, rows_);
    }
    if (outcome.stopped) {
      std::cerr << "import: stopped; the same command goes on from here\n";
    }
    return outcome.stopped || outcome.totals.rejected > 0 ? kFailed : kOk;
  }

  Interrupt interrupt_;  // before anything that starts threads
  const ImportFlags* flags_;
  ProgressLine progress_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::uint64_t rows_ = 0;
  std::size_t failures_ = 0;
};

}  // namespace

Action define_import(CLI::App& verb) {
  auto flags = std::make_shared<ImportFlags>();
  verb.add_option("format", flags->format, "movielens")
      ->required()
      ->check(CLI::IsMember({"movielens"}));
  verb.add_option("path", flags->path, "folder of MovieLens")->required();
  flags->target = add_target_flags(verb);
  verb.add_option("--batch", flags->batch, "rows in a request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  verb.add_option("--errors", flags->errors, "how many bad rows to show")->capture_default_str();
  verb.add_option("--resume-file", flags->resume_file,
                  "where to keep how far an unfinished import has come")
      ->type_name("FILE");
  verb.add_flag("--restart", flags->restart, "from the start, whatever an earlier session did");
  verb.footer(
      "Bad rows are told by file and line, and the others go in: exit code 1 then. Ids of events "
      "are made from the rows, so that importing again counts nothing twice.");
  return [flags] { return ImportVerb(*flags).run(); };
}

}  // namespace millrace::app
