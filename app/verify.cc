#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "app/flags.h"
#include "app/open_log.h"
#include "app/remote_checkpoint.h"
#include "app/verbs.h"
#include "ingest/embedded_log.h"
#include "processors/training/model_file.h"
#include "processors/verify.h"
#include "schemas/json_writer.h"
#include "state/checkpoint.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

struct VerifyFlags {
  std::string data;
  std::string scratch;
};

// What was found of the state and of the models.
struct Found {
  std::vector<processors::VerifyReport> partitions;
  std::vector<processors::ModelReport> models;

  bool state_ok() const {
    return std::all_of(partitions.begin(), partitions.end(), [](const auto& r) { return r.ok(); });
  }
  bool models_ok() const {
    return std::all_of(models.begin(), models.end(),
                       [](const auto& model) { return model.problem.empty(); });
  }
};

std::string name_of(LogPartition partition) { return state::database_folder(partition); }

void print_human(const Found& found) {
  for (const auto& report : found.partitions) {
    std::cout << (report.ok() ? "ok      " : "DIFFERS ") << name_of(report.partition) << " at "
              << report.offset << ": stored " << report.stored.text() << ", recorded "
              << report.recorded.text() << ", rebuilt " << report.rebuilt.text() << "\n";
    for (const auto& difference : report.differences)
      std::cout << "        row " << difference << "\n";
  }
  for (const auto& model : found.models) {
    std::cout << (model.problem.empty() ? "ok      " : "DAMAGED ") << model.name << " at "
              << model.position.text() << (model.problem.empty() ? "" : ": ") << model.problem
              << "\n";
  }
}

void print_json(const Found& found) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.key("partitions");
  out.begin_array();
  for (const auto& report : found.partitions) {
    out.begin_object();
    out.member("partition", name_of(report.partition));
    out.member("offset", report.offset);
    out.member("ok", report.ok());
    out.member("stored", report.stored.text());
    out.member("recorded", report.recorded.text());
    out.member("rebuilt", report.rebuilt.text());
    out.key("differences");
    out.begin_array();
    for (const auto& difference : report.differences) out.value(difference);
    out.end_array();
    out.end_object();
  }
  out.end_array();
  out.key("models");
  out.begin_array();
  for (const auto& model : found.models) {
    out.begin_object();
    out.member("model", model.name);
    out.member("position", model.position.text());
    out.member("ok", model.problem.empty());
    if (!model.problem.empty()) out.member("problem", model.problem);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  std::cout << text << "\n";
}

// The state to check: a stopped server's own, or a checkpoint that the running one has just made.
struct Subject {
  std::string data;
  std::string state;
  std::string log;
  std::string checkpoints;
  bool running = false;
};

Result<Subject> subject(const VerifyFlags& flags, const ClientConfig& client) {
  if (!flags.data.empty()) {
    const DataFolders folders(flags.data);
    if (!fs::exists(folders.state)) {
      return fail(Code::kNotFound, flags.data + " holds no state: name a server's data folder");
    }
    return Subject{flags.data, folders.state, folders.log, folders.checkpoints, false};
  }
  MILLRACE_TRY(const auto checkpoint, remote_checkpoint(client));
  const auto data = fs::path(checkpoint).parent_path().parent_path();
  const DataFolders folders(data.string());
  return Subject{data.string(), checkpoint, folders.log, folders.checkpoints, true};
}

// Where rebuilding must start: nowhere when the log is whole, else the oldest checkpoint it
// reaches.
Result<std::string> starting_point(const ingest::EventLog& log, const Subject& subject) {
  bool whole = log.start(kCatalogPartition) == 0;
  for (std::uint16_t p = 0; p < log.interaction_partitions(); ++p) {
    whole = whole && log.start({Topic::kInteractions, p}) == 0;
  }
  if (whole) return std::string();
  for (const auto& path : state::list_checkpoints(subject.checkpoints)) {
    MILLRACE_TRY(const auto manifest, state::read_manifest(path));
    const auto& entries = manifest.partitions;
    if (path != subject.state && std::all_of(entries.begin(), entries.end(), [&log](const auto& e) {
          return log.start(e.first) <= e.second.next_offset;
        })) {
      return path;
    }
  }
  return fail(Code::kNotFound, "the log has been trimmed and no checkpoint reaches it");
}

// A running server's log under a second name, since its folder is locked: everything that was
// durable is there. Gone with the object.
class LinkedLog {
 public:
  explicit LinkedLog(fs::path folder) : folder_(std::move(folder)) {}
  ~LinkedLog() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  LinkedLog(const LinkedLog&) = delete;
  LinkedLog& operator=(const LinkedLog&) = delete;

  std::string folder() const { return folder_.string(); }
  Status link(const std::string& log) const {
    std::error_code error;
    fs::remove_all(folder_, error);
    fs::create_directories(folder_, error);
    for (fs::directory_iterator at(log, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename() == "lock") continue;
      const auto to = folder_ / at->path().filename();
      fs::create_hard_link(at->path(), to, error);
      if (error) fs::copy_file(at->path(), to, error);
    }
    if (error) return fail(Code::kIo, "cannot link " + log + ": " + error.message());
    return {};
  }

 private:
  const fs::path folder_;
};

// What a running server has under way with its log (a write, trimming) can be in the way once.
Result<std::unique_ptr<ingest::EventLog>> open_linked(const LinkedLog& links, const Subject& what,
                                                      Metrics& metrics, const Clock& clock) {
  constexpr int kTries = 5;
  ingest::EmbeddedLogOptions options;
  options.directory = what.running ? links.folder() : what.log;
  options.access = ingest::LogAccess::kRead;
  options.metrics = &metrics;
  options.clock = &clock;
  for (int i = 1;; ++i) {
    const auto linked = what.running ? links.link(what.log) : Status();
    auto opened =
        linked ? ingest::EmbeddedLog::open(options) : tl::unexpected<Error>(linked.error());
    if (opened || !what.running || i == kTries) return opened;
  }
}

Result<Found> run(const VerifyFlags& flags, const Settings& log_flags, const ClientConfig& client) {
  MILLRACE_TRY(const auto what, subject(flags, client));
  MILLRACE_TRY(const auto config, stored_config(what.data, log_flags));
  Metrics metrics;
  SystemClock clock;
  processors::VerifyOptions verification;
  verification.state = what.state;
  verification.scratch =
      flags.scratch.empty() ? fs::path(what.data) / "verify-scratch" : fs::path(flags.scratch);
  const bool kafka = config.log.kind == LogKind::kKafka;
  std::unique_ptr<ingest::FileLock> lock;
  if (kafka && !what.running) {
    MILLRACE_TRY(lock, lock_data(what.data, ingest::LogAccess::kRead));
  }
  const LinkedLog links(verification.scratch + "-log");
  MILLRACE_TRY(const auto log, kafka ? open_log(config, ingest::LogAccess::kRead, metrics, clock)
                                     : open_linked(links, what, metrics, clock));
  MILLRACE_TRY(verification.checkpoint, starting_point(*log, what));
  std::error_code ignored;
  fs::remove_all(verification.scratch, ignored);
  Found found;
  MILLRACE_TRY(
      found.partitions,
      processors::verify(verification, *log, metrics, [](std::uint64_t done, std::uint64_t total) {
        std::cerr << "verify: " << done << " of " << total << " records\n";
      }));
  std::map<LogPartition, Offset> ends = {{kCatalogPartition, log->end(kCatalogPartition)}};
  for (std::uint16_t p = 0; p < log->interaction_partitions(); ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    ends[partition] = log->end(partition);
  }
  found.models = processors::verify_models(DataFolders(what.data).models, ends);
  return found;
}

}  // namespace

Action define_verify(CLI::App& verb) {
  auto flags = std::make_shared<VerifyFlags>();
  verb.add_option("--data", flags->data, "data folder of a stopped server; else --url is asked");
  verb.add_option("--scratch", flags->scratch,
                  "folder for the rebuilt state (default: beside the log)");
  auto log = add_log_flags(verb);
  auto client = add_client_flags(verb);
  return [flags, log, client] {
    const auto found = run(*flags, log->settings, *client);
    if (!found) {
      std::cerr << "millrace verify: " << found.error().detail << "\n";
      return kFailed;
    }
    client->json ? print_json(*found) : print_human(*found);
    if (!found->state_ok())
      std::cerr << "millrace verify: the state is not what the log says; restore a backup, or "
                   "remove the state folder to rebuild it from the log\n";
    if (!found->models_ok())
      std::cerr << "millrace verify: a model is damaged; the next start trains it again\n";
    return found->state_ok() && found->models_ok() ? kOk : kFailed;
  };
}

}  // namespace millrace::app
