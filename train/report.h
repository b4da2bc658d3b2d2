#pragma once
#include <string>

#include "train/fit.h"

namespace millrace::train {

// What a training says on its way: lines for people on stderr, or one JSON object a line on stdout,
// which the server follows (processors/training/train_program.h).
class Report {
 public:
  Report(bool json, std::uint32_t epochs) : json_(json), epochs_(epochs) {}

  void note(const std::string& line) const;
  void epoch(const Epoch& epoch);
  void done(const processors::SequenceModel& model, const std::string& checksum,
            const Sequences& data) const;
  void failed(const Error& error) const;

 private:
  const bool json_;
  const std::uint32_t epochs_;
  double seconds_ = 0;
  std::uint32_t counted_ = 0;
};

}  // namespace millrace::train
