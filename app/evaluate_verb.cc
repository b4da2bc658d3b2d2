#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "app/engine_options.h"
#include "app/evaluation.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/verbs.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

struct EvaluateFlags {
  std::string movielens;
  std::string protocol = "temporal";
  std::string format = "table";
  std::string lists;
  std::string reliability;
  double retrain_days = 1;
  double retrain_deep_days = 30;
  EvaluationOptions options;
};

double latency_ms(const AlgorithmResult& result, double share) {
  const auto& all = result.latencies_us;
  if (all.empty()) return 0;
  return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))] / 1000.0;
}

void append_confidence(JsonWriter& out, const Confidence& confidence) {
  out.key("confidence");
  out.begin_object();
  out.member("items", confidence.items);
  out.member("rate", confidence.rate);
  out.member("ece", confidence.ece);
  out.member("brier_skill", confidence.brier_skill);
  out.member("auc", confidence.auc);
  out.end_object();
}

std::string json_of(const std::vector<AlgorithmResult>& results, const EvaluateFlags& flags) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("protocol", flags.protocol);
  out.key("results");
  out.begin_array();
  for (const auto& result : results) {
    out.begin_object();
    out.member("algorithm", result.algorithm);
    out.member("users", result.metrics.users);
    for (const auto& [name, value] : result.metrics.values) out.member(name, value);
    for (const auto& [name, interval] : result.metrics.intervals) {
      out.key(name);
      out.begin_array();
      out.value(interval.low);
      out.value(interval.high);
      out.end_array();
    }
    if (result.confidence) append_confidence(out, *result.confidence);
    out.key("latency_ms");
    out.begin_object();
    out.member("p50", latency_ms(result, 0.5));
    out.member("p99", latency_ms(result, 0.99));
    out.end_object();
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text;
}

void print_table(const std::vector<AlgorithmResult>& results) {
  for (const auto& result : results) {
    std::printf("%-18s users %zu", result.algorithm.c_str(), result.metrics.users);
    for (const auto& [name, value] : result.metrics.values) {
      std::printf("  %s %.4f", name.c_str(), value);
    }
    for (const auto& [name, interval] : result.metrics.intervals) {
      std::printf("  %s %.4f-%.4f", name.c_str(), interval.low, interval.high);
    }
    if (const auto& c = result.confidence) {
      std::printf("  confidence: items %zu rate %.4f ece %.4f brier_skill %.4f auc %.4f", c->items,
                  c->rate, c->ece, c->brier_skill, c->auc);
    }
    std::printf("  latency p50 %.3f ms p99 %.3f ms\n", latency_ms(result, 0.5),
                latency_ms(result, 0.99));
  }
}

Status write_lists(const std::string& folder, const EvaluationData& data,
                   const std::vector<AlgorithmResult>& results) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& result : results) {
    const auto path = std::filesystem::path(folder) / (result.algorithm + ".tsv");
    std::ofstream out(path);
    for (const auto& [user, list] : result.lists) {
      out << data.users[user] << '\t';
      for (std::size_t i = 0; i < list.size(); ++i)
        out << (i > 0 ? "," : "") << data.items[list[i]];
      out << '\n';
    }
    out.close();
    if (!out) return fail(Code::kIo, "cannot write " + path.string());
  }
  return {};
}

Status write_reliability(const std::string& path, const std::vector<AlgorithmResult>& results) {
  for (const auto& result : results) {
    if (!result.confidence) continue;
    std::ofstream out(path);
    out << reliability_svg(*result.confidence, result.algorithm + ", prequential");
    out.close();
    return out ? Status() : fail(Code::kIo, "cannot write " + path);
  }
  return fail(Code::kInvalid, "only prequential with hybrid_ensemble has a reliability diagram");
}

class EvaluateVerb {
 public:
  explicit EvaluateVerb(const EvaluateFlags& flags)
      : flags_(&flags), progress_(std::cerr, stderr_is_terminal()) {}

  int run() {
    const auto status = evaluate_and_print();
    progress_.finish();
    if (status) return kOk;
    std::cerr << "millrace evaluate: " << status.error().detail << "\n";
    return status.error().code == Code::kInvalid || status.error().code == Code::kNotFound
               ? kUsage
               : kFailed;
  }

 private:
  Status evaluate_and_print() {
    MILLRACE_TRY(const auto data,
                 read_movielens(flags_->movielens, [this](double share, std::uint64_t rows) {
                   return tell("read", share, rows);
                 }));
    MILLRACE_TRY(const auto results,
                 evaluate(data, flags_->options,
                          [this](const std::string& part, double share, std::uint64_t rows) {
                            return tell(part, share, rows);
                          }));
    progress_.finish();
    if (!flags_->lists.empty()) MILLRACE_CHECK(write_lists(flags_->lists, data, results));
    if (!flags_->reliability.empty()) {
      MILLRACE_CHECK(write_reliability(flags_->reliability, results));
    }
    if (flags_->format == "json") {
      std::cout << json_of(results, *flags_) << std::endl;
    } else {
      print_table(results);
    }
    return {};
  }

  bool tell(const std::string& part, double share, std::uint64_t rows) {
    progress_.update(part, share, rows);
    return !interrupt_.requested();
  }

  Interrupt interrupt_;  // before anything that starts threads
  const EvaluateFlags* flags_;
  ProgressLine progress_;
};

}  // namespace

Action define_evaluate(CLI::App& verb) {
  auto flags = std::make_shared<EvaluateFlags>();
  auto& options = flags->options;
  options.algorithms = {"collaborative", "linear", "hybrid_ensemble"};
  verb.add_option("--movielens", flags->movielens, "folder of a MovieLens data set")
      ->required()
      ->check(CLI::ExistingDirectory);
  verb.add_option("--protocol", flags->protocol, "how train and test are cut")
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(kProtocolNames), std::end(kProtocolNames))))
      ->capture_default_str();
  verb.add_option("--algorithms", options.algorithms, "which rankers are asked")
      ->delimiter(',')
      ->capture_default_str();
  verb.add_option("--k", options.k, "lengths of the lists that are measured")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb.add_option("--ratio", options.ratio, "share that is held out")
      ->check(CLI::Range(0.01, 0.9))
      ->capture_default_str();
  verb.add_option("--seed", options.seed, "of the random split, as numpy's default_rng")
      ->capture_default_str();
  verb.add_flag("--validation", options.validation,
                "hold out of train by the same protocol, for choosing settings");
  verb.add_option("--retrain-every", flags->retrain_days,
                  "prequential: days of the data between two trainings")
      ->check(CLI::Range(0.001, 10'000.0))
      ->capture_default_str();
  verb.add_flag("--fixed-blend{false}", options.learn_blend,
                "prequential: hybrid_ensemble's weights stay as chosen");
  verb.add_option("--reliability", flags->reliability,
                  "prequential: file to draw the reliability of confidence_score into, as SVG");
  verb.add_flag("--train-deep", options.train_deep,
                "train the network of deep_learning, too (minutes), by millrace-train beside this");
  verb.add_option("--retrain-deep-every", flags->retrain_deep_days,
                  "prequential: days of the data between two trainings of the network")
      ->check(CLI::Range(0.001, 10'000.0))
      ->capture_default_str();
  verb.add_option("--lists", flags->lists, "folder to write ALGORITHM.tsv into: the lists");
  verb.add_option("--format", flags->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return [flags] {
    flags->options.protocol = *find_protocol(flags->protocol);
    flags->options.replay.train_program = train_program_beside();
    flags->options.retrain_deep_ms =
        static_cast<std::int64_t>(flags->retrain_deep_days * 86'400'000);
    flags->options.retrain_ms = static_cast<std::int64_t>(flags->retrain_days * 86'400'000);
    return EvaluateVerb(*flags).run();
  };
}

}  // namespace millrace::app
