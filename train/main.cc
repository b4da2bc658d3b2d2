// millrace-train: makes the model of `deep_learning`. A program of its own, so that the server does
// not link libtorch.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

#include "app/verbs.h"
#include "train/fit.h"
#include "train/lists.h"
#include "train/report.h"

namespace millrace::train {
namespace {

// Of a handler: OpenBLAS has threads before main() begins, so that signals cannot be blocked in all
// of them and read elsewhere, as the server does.
std::atomic<bool> stop_asked{false};
extern "C" void ask_to_stop(int signal) {
  if (stop_asked.exchange(true)) ::_exit(128 + signal);  // twice: at once
}

struct Flags {
  std::string data, checkpoint, movielens;
  std::string out, state, lists;
  std::size_t list_length = 20;
  std::string format = "text";
  int nice = 0;
  FitOptions fit;
};

void add_flags(CLI::App& program, Flags& flags) {
  auto* from = program.add_option_group("from", "where people's deeds are read from");
  from->add_option("--data", flags.data, "data folder of a server that does not run");
  from->add_option("--checkpoint", flags.checkpoint, "checkpoint of a state");
  from->add_option("--movielens", flags.movielens, "folder of MovieLens' files");
  from->require_option(1);
  program.add_option("--out", flags.out, "the model's file")->required();
  program.add_option("--state", flags.state,
                     "where each epoch is kept, to go on from; by default OUT.training");
  auto& fit = flags.fit;
  program.add_option("--embedding-dim", fit.deep.embedding_dim, "numbers an item, 8 to 512");
  program.add_option("--learning-rate", fit.deep.learning_rate, "of Adam");
  program.add_option("--epochs", fit.deep.epochs, "at most");
  program.add_option("--seed", fit.deep.seed, "of everything random");
  program.add_option("--patience", fit.patience, "epochs without a better one before it ends")
      ->check(CLI::Range(1u, 10'000u));
  program.add_option("--blocks", fit.blocks, "of attention")->check(CLI::Range(1u, 8u));
  program.add_option("--heads", fit.heads, "of attention; divide --embedding-dim")
      ->check(CLI::Range(1u, 64u));
  program.add_option("--length", fit.length, "last items looked at")->check(CLI::Range(2u, 1'000u));
  program.add_option("--dropout", fit.dropout)->check(CLI::Range(0.0, 0.95));
  program.add_option("--weight-decay", fit.weight_decay)->check(CLI::Range(0.0, 1.0));
  program.add_option("--batch", fit.batch, "windows of people's sequences")
      ->check(CLI::Range(1u, 4'096u));
  program
      .add_option("--candidates", fit.candidates,
                  "items of a softmax; of more a sample stands for all")
      ->check(CLI::Range(10u, 10'000'000u));
  program.add_option("--threads", fit.threads)->check(CLI::Range(1, 256));
  program.add_option("--nice", flags.nice, "let others go first, 0 to 19")
      ->check(CLI::Range(0, 19));
  program.add_option("--lists", flags.lists,
                     "write what is foretold for everybody: user<TAB>item,item,…");
  program.add_option("--list-length", flags.list_length)->check(CLI::Range(1, 1'000));
  program.add_option("--format", flags.format, "text, or json: an object a line and epoch")
      ->check(CLI::IsMember({"text", "json"}));
}

Result<Sequences> read(const Flags& flags) {
  if (!flags.movielens.empty()) return sequences_of_movielens(flags.movielens);
  return sequences_of_state(flags.checkpoint.empty() ? flags.data + "/state" : flags.checkpoint);
}

Status check(const FitOptions& options) {
  MILLRACE_CHECK(processors::check(options.deep));
  if (options.deep.embedding_dim % options.heads == 0) return {};
  return fail(Code::kInvalid, "must divide the embedding's dimension", "heads");
}

Status run(const Flags& flags, Report& report) {
  MILLRACE_CHECK(check(flags.fit));
  MILLRACE_TRY(const auto data, read(flags));
  report.note(std::to_string(data.people.size()) + " people, " + std::to_string(data.items.size()) +
              " items");
  const FitEvents events{[&](const Epoch& epoch) { report.epoch(epoch); },
                         [&](const std::string& line) { report.note(line); },
                         [] { return stop_asked.load(); }};
  MILLRACE_TRY(const auto model, fit(data, flags.fit, events));
  const auto file = model.encode();
  MILLRACE_CHECK(processors::write_model_to(flags.out, file));
  if (!flags.lists.empty()) {
    MILLRACE_CHECK(
        write_lists(flags.lists, model, data, flags.list_length, !flags.movielens.empty()));
  }
  report.done(model, file.checksum(), data);
  return {};
}

int run(int argc, char** argv) {
  CLI::App program{"Trains the model of Millrace's ranker deep_learning.", "millrace-train"};
  program.footer(
      "SIGTERM ends it behind the epoch that was last kept; called again, it goes on.\n"
      "Exit codes: 0 done, 1 failed or stopped, 2 bad usage.");
  Flags flags;
  flags.fit.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  add_flags(program, flags);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? app::kOk : app::kUsage;
  }
  flags.fit.state_file = flags.state.empty() ? flags.out + ".training" : flags.state;
  ::signal(SIGTERM, ask_to_stop);
  ::signal(SIGINT, ask_to_stop);
  if (flags.nice > 0) ::setpriority(PRIO_PROCESS, 0, flags.nice);
  Report report(flags.format == "json", flags.fit.deep.epochs);
  const auto status = run(flags, report);
  if (status) return app::kOk;
  report.failed(status.error());
  return status.error().code == Code::kInvalid ? app::kUsage : app::kFailed;
}

}  // namespace
}  // namespace millrace::train

int main(int argc, char** argv) {
  try {
    return millrace::train::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "millrace-train: " << error.what() << "\n";
    return millrace::app::kFailed;
  }
}
