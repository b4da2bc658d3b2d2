#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "app/import_run.h"
#include "app/interrupt.h"
#include "app/open_target.h"
#include "app/progress.h"
#include "app/verbs.h"
#include "ingest/importers/mapped.h"
#include "ingest/importers/movielens.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct ImportFlags {
  std::string format;
  std::string path;
  std::string kind = "events";
  std::vector<std::string> map;
  std::vector<std::string> set;
  std::string delimiter = ",";
  char list_separator = '|';
  TargetFlags target;
  std::size_t batch = 5000;
  std::size_t errors = 20;
  std::string resume_file;
  bool restart = false;
};

Result<ingest::Mapping> mapping_of(const ImportFlags& flags) {
  ingest::Mapping mapping;
  mapping.kind = flags.kind == "items" ? ingest::ImportKind::kItems : ingest::ImportKind::kEvents;
  mapping.list_separator = flags.list_separator;
  const auto read =
      [](const std::vector<std::string>& texts,
         std::string_view option) -> Result<std::vector<std::pair<std::string, std::string>>> {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& text : texts) {
      MILLRACE_TRY(auto more, ingest::Mapping::parse_pairs(text, option));
      pairs.insert(pairs.end(), more.begin(), more.end());
    }
    return pairs;
  };
  MILLRACE_TRY(mapping.columns, read(flags.map, "map"));
  MILLRACE_TRY(mapping.constants, read(flags.set, "set"));
  return mapping;
}

Result<std::vector<ingest::ImportPart>> parts_of(const ImportFlags& flags) {
  if (flags.format == "movielens") return ingest::movielens_parts(flags.path);
  MILLRACE_TRY(const auto mapping, mapping_of(flags));
  if (flags.format == "jsonl") return ingest::jsonl_parts(flags.path, mapping);
  const bool tab = flags.delimiter == "tab" || flags.delimiter == "\\t";
  return ingest::csv_parts(flags.path, mapping, tab ? '\t' : flags.delimiter.front());
}

// What is made of the files, so that a mark of another mapping is no mark of this one.
std::string meaning_of(const ImportFlags& flags) {
  const auto mapping = mapping_of(flags);
  return flags.format + flags.delimiter + (mapping.has_value() ? mapping->text() : "");
}

std::string fingerprint_of(const ImportFlags& flags, const std::vector<ingest::ImportPart>& parts,
                           const std::string& target) {
  std::vector<std::string> files;
  for (const auto& part : parts) files.insert(files.end(), part.files.begin(), part.files.end());
  return import_fingerprint(files, meaning_of(flags), target);
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
      const std::string& field = outcome.error().field;
      const bool usage = field == "path" || field == "url" || field == "map" || field == "set";
      return usage ? kUsage : kFailed;
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

void add_mapping_flags(CLI::App& verb, const std::shared_ptr<ImportFlags>& flags) {
  verb.add_option("--kind", flags->kind, "what a row of a CSV or JSONL file is")
      ->check(CLI::IsMember({"events", "items"}))
      ->capture_default_str();
  verb.add_option("--map", flags->map,
                  "which column fills a field, e.g. user=userId,item=contentId")
      ->type_name("FIELD=COLUMN,...");
  verb.add_option("--set", flags->set, "a value for all rows, e.g. type=view")
      ->type_name("FIELD=VALUE,...");
  verb.add_option("--delimiter", flags->delimiter, "between the fields of a CSV file, or `tab`")
      ->check([](const std::string& text) {
        const bool fits = text.size() == 1 || text == "tab" || text == "\\t";
        return fits ? std::string() : std::string("must be one character or `tab`");
      })
      ->capture_default_str();
  verb.add_option("--list-separator", flags->list_separator,
                  "between categories or tags in a field of a CSV file")
      ->capture_default_str();
}

}  // namespace

Action define_import(CLI::App& verb) {
  auto flags = std::make_shared<ImportFlags>();
  verb.add_option("format", flags->format, "movielens, csv or jsonl")
      ->required()
      ->check(CLI::IsMember({"movielens", "csv", "jsonl"}));
  verb.add_option("path", flags->path, "the folder of MovieLens, or the file")->required();
  add_mapping_flags(verb, flags);
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
