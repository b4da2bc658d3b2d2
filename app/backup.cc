#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "app/flags.h"
#include "app/node.h"
#include "app/remote_checkpoint.h"
#include "app/verbs.h"
#include "schemas/json_writer.h"
#include "state/checkpoint.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

struct BackupFlags {
  std::string to;
  std::string data;
};

// Whole videos; one that is deleted meanwhile is none.
Status copy_videos(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  fs::create_directories(to, error);
  for (const auto& entry : fs::directory_iterator(from, error)) {
    if (entry.path().extension() == ".part") continue;
    const auto copy = to / entry.path().filename();
    std::error_code failed;
    fs::copy_file(entry.path(), copy, failed);
    if (!failed) {
      MILLRACE_CHECK(state::sync_folder(copy.string()));
    } else if (fs::exists(entry.path())) {
      return fail(Code::kIo, "cannot copy " + entry.path().string() + ": " + failed.message());
    }
  }
  return state::sync_folder(to.string());
}

// A backup is a checkpoint under `state`, the log, copied after it, under `log`, so that it reaches
// at least as far as the state, and the videos under `media`. Kafka keeps its own log.
Status copy_out(const std::string& checkpoint, const DataFolders& folders, const std::string& to) {
  MILLRACE_CHECK(state::copy_folder(checkpoint, (fs::path(to) / "state").string()));
  MILLRACE_CHECK(copy_videos(folders.media, fs::path(to) / "media"));
  std::error_code error;
  if (!fs::exists(folders.log, error)) return {};
  return state::copy_folder(folders.log, (fs::path(to) / "log").string());
}

Status back_up(const BackupFlags& flags, const ClientConfig& client) {
  std::error_code error;
  if (fs::exists(fs::path(flags.to) / "state", error)) {
    return fail(Code::kConflict, flags.to + " holds a backup already: name an empty folder");
  }
  if (flags.data.empty()) {
    MILLRACE_TRY(const auto checkpoint, remote_checkpoint(client));
    const auto data = fs::path(checkpoint).parent_path().parent_path();
    return copy_out(checkpoint, DataFolders(data.string()), flags.to);
  }
  MILLRACE_TRY(const auto config, stored_config(flags.data));
  MILLRACE_TRY(const auto node, Node::start(config, Node::Http::kNone));
  MILLRACE_TRY(const auto checkpoint, node->maintenance().checkpoint());
  return copy_out(checkpoint, DataFolders(flags.data), flags.to);
}

struct RestoreFlags {
  std::string from;
  std::string data = "millrace-data";
  bool replace = false;
};

// The erasures and merges that a data folder knows of, in their order.
Result<std::vector<state::Demand>> demands_in(const std::string& data) {
  const auto folder = fs::path(DataFolders(data).state) / state::database_folder(kCatalogPartition);
  std::vector<state::Demand> out;
  if (!fs::exists(folder)) return out;
  const state::RocksShared shared({});
  state::NameTable items;
  state::CatalogNames names;
  Metrics metrics;
  MILLRACE_TRY(const auto store, state::CatalogStore::open({folder, state::Db::Mode::kReadOnly},
                                                           shared, items, names, metrics));
  Offset after = -1;
  for (;;) {
    const auto demands = store->demands_after(after, 1000);
    if (demands.empty()) return out;
    out.insert(out.end(), demands.begin(), demands.end());
    after = demands.back().catalog_offset;
  }
}

// Erasure stands, and so do merges: what was demanded since the backup was made is again.
Status demand_again(const std::string& data, const std::vector<state::Demand>& demands) {
  if (demands.empty()) return {};
  MILLRACE_TRY(const auto config, stored_config(data));
  MILLRACE_TRY(const auto node, Node::start(config, Node::Http::kNone));
  for (const auto& demand : demands) {
    MILLRACE_CHECK(node->carry_out(demand));
  }
  return {};
}

Result<std::size_t> restore(const RestoreFlags& flags) {
  MILLRACE_TRY(const auto manifest,
               state::read_manifest((fs::path(flags.from) / "state").string()));
  std::error_code error;
  std::vector<state::Demand> demanded;
  std::string aside;
  const DataFolders folders(flags.data);
  if (fs::exists(folders.state, error) || fs::exists(folders.log, error)) {
    if (!flags.replace) {
      return fail(Code::kConflict, flags.data +
                                       " holds data: name another folder, or --replace to "
                                       "move it aside");
    }
    MILLRACE_TRY(demanded, demands_in(flags.data));
    for (int n = 1; aside.empty() || fs::exists(aside, error); ++n) {
      aside = flags.data + ".replaced-" + std::to_string(n);
    }
    fs::rename(flags.data, aside, error);
    if (error) return fail(Code::kIo, "cannot move " + flags.data + " aside: " + error.message());
  }
  MILLRACE_CHECK(state::copy_folder((fs::path(flags.from) / "state").string(), folders.state));
  if (fs::exists(fs::path(flags.from) / "log", error)) {
    MILLRACE_CHECK(state::copy_folder((fs::path(flags.from) / "log").string(), folders.log));
  }
  MILLRACE_CHECK(copy_videos(fs::path(flags.from) / "media", folders.media));
  MILLRACE_CHECK(demand_again(flags.data, demanded));
  if (!aside.empty()) std::cerr << "millrace restore: what was there is in " << aside << "\n";
  return manifest.partitions.size();
}

int told(const Status& status, const char* verb, const std::string& done, bool json) {
  if (!status) {
    std::cerr << "millrace " << verb << ": " << status.error().detail << "\n";
    return kFailed;
  }
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("folder", done);
  out.end_object();
  std::cout << (json ? text : std::string(verb) + " complete: " + done) << "\n";
  return kOk;
}

}  // namespace

Action define_backup(CLI::App& verb) {
  auto flags = std::make_shared<BackupFlags>();
  verb.add_option("folder", flags->to, "where the backup goes: a folder that does not exist yet")
      ->required();
  verb.add_option("--data", flags->data, "data folder of a stopped server; else --url is asked");
  auto client = add_client_flags(verb);
  return
      [flags, client] { return told(back_up(*flags, *client), "backup", flags->to, client->json); };
}

Action define_restore(CLI::App& verb) {
  auto flags = std::make_shared<RestoreFlags>();
  verb.add_option("folder", flags->from, "a backup")->required();
  verb.add_option("--data", flags->data, "data folder of a stopped server")->capture_default_str();
  verb.add_flag("--replace", flags->replace, "move what is there aside; its erasures stand");
  auto json = std::make_shared<std::string>("human");
  verb.add_option("--format", *json, "human or json")->check(CLI::IsMember({"human", "json"}));
  return [flags, json] {
    const auto restored = restore(*flags);
    const Status status = restored ? Status() : Status(tl::unexpected<Error>(restored.error()));
    return told(status, "restore", flags->data, *json == "json");
  };
}

}  // namespace millrace::app
