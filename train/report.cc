#include "train/report.h"

#include <cstdio>
#include <iostream>

#include "schemas/json_writer.h"

namespace millrace::train {
namespace {

// One line, at once: a reader waits for it.
template <class Members>
void print_json(Members&& members) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  members(out);
  out.end_object();
  std::cout << text << std::endl;
}

}  // namespace

void Report::note(const std::string& line) const { std::cerr << line << "\n"; }

void Report::epoch(const Epoch& epoch) {
  seconds_ += epoch.seconds;
  ++counted_;
  const double left = seconds_ / counted_ * (epochs_ - epoch.number);  // if it does not end early
  if (json_) {
    return print_json([&](JsonWriter& out) {
      out.member("epoch", epoch.number);
      out.member("epochs", epochs_);
      out.member("loss", epoch.loss);
      out.member("validation_loss", epoch.validation_loss);
      out.member("ndcg", epoch.ndcg);
      out.member("best", epoch.best);
      out.member("seconds", epoch.seconds);
      out.member("seconds_left", left);
    });
  }
  char line[256];
  std::snprintf(
      line, sizeof line,
      "epoch %u of %u: loss %.4f, held out %.4f, NDCG@10 %.4f%s, %.1f s, at most %.0f s to go",
      epoch.number, epochs_, epoch.loss, epoch.validation_loss, epoch.ndcg,
      epoch.best ? " (best)" : "", epoch.seconds, left);
  note(line);
}

void Report::done(const processors::SequenceModel& model, const std::string& checksum,
                  const Sequences& data) const {
  if (json_) {
    return print_json([&](JsonWriter& out) {
      out.member("done", true);
      out.member("best_epoch", model.record.epoch);
      out.member("loss", model.record.loss);
      out.member("ndcg", model.record.ndcg);
      out.member("items", model.ids.size());
      out.member("people", data.people.size());
      out.member("position", model.position.text());
      out.member("checksum", checksum);
    });
  }
  std::cout << "epoch " << model.record.epoch << " did best: held out " << model.record.loss
            << ", NDCG@10 " << model.record.ndcg << "; " << model.ids.size() << " items, "
            << data.people.size() << " people, checksum " << checksum << std::endl;
}

void Report::failed(const Error& error) const {
  const std::string text = (error.field.empty() ? "" : error.field + ": ") + error.detail;
  if (json_) print_json([&](JsonWriter& out) { out.member("error", text); });
  note("millrace-train: " + text);
}

}  // namespace millrace::train
