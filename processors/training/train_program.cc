#include "processors/training/train_program.h"

#include <cstdlib>

#include "processors/training/child_process.h"
#include "schemas/json_value.h"

namespace millrace::processors {
namespace {

constexpr int kLookMs = 200;         // how often it is asked whether the job is cancelled
constexpr int kEndMs = 10'000;       // given to end by itself
constexpr const char* kNice = "10";  // requests go first

double number_of(const Json& line, std::string_view name) {
  const Json* member = line.find(name);
  return member == nullptr ? 0 : std::strtod(member->text.c_str(), nullptr);
}

std::vector<std::string> words_of(const TrainRun& run) {
  const auto& options = run.options;
  std::string rate;
  JsonWriter(rate).value(options.learning_rate);  // as many digits as it has
  return {run.program,
          "--checkpoint",
          run.checkpoint,
          "--out",
          run.out,
          "--embedding-dim",
          std::to_string(options.embedding_dim),
          "--learning-rate",
          rate,
          "--epochs",
          std::to_string(options.epochs),
          "--seed",
          std::to_string(options.seed),
          "--threads",
          std::to_string(run.threads),
          "--nice",
          kNice,
          "--format",
          "json"};
}

}  // namespace

Result<Trained> run_training(const TrainRun& run, JobControl& control) {
  MILLRACE_TRY(auto program, ChildProcess::start(words_of(run)));
  Trained out;
  bool done = false;
  std::string problem;
  while (!program.over()) {
    if (control.cancelled()) {
      program.terminate();
      program.wait(kEndMs);
      return fail(Code::kUnavailable, "cancelled");
    }
    const auto text = program.line(kLookMs);
    if (!text) continue;
    const auto line = parse_json(*text);
    if (!line) continue;
    if (const Json* error = line->find("error")) problem = error->text;
    if (line->find("done") != nullptr) {
      done = true;
      out.best_epoch = static_cast<std::uint32_t>(number_of(*line, "best_epoch"));
      out.loss = number_of(*line, "loss");
      out.ndcg = number_of(*line, "ndcg");
    } else if (line->find("epoch") != nullptr) {
      out.epochs = static_cast<std::uint32_t>(number_of(*line, "epoch"));
      control.progress(out.epochs / number_of(*line, "epochs"));
    }
  }
  const int code = program.wait(kEndMs);
  if (code == 0 && done) return out;
  if (problem.empty()) problem = "millrace-train ended with code " + std::to_string(code);
  return fail(Code::kInternal, problem);
}

}  // namespace millrace::processors
