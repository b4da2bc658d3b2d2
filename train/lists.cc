#include "train/lists.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace millrace::train {
namespace {

std::string line_of(const Sequences::Person& person, const processors::SequenceModel& model,
                    const Sequences& data, std::size_t limit, bool strip_kind) {
  const auto logits = model.logits(model.represent(person.liked));
  std::vector<bool> had(logits.size());
  for (const auto* rows : {&person.liked, &person.other}) {
    for (const auto row : *rows) had[row] = true;
  }
  std::vector<std::uint32_t> order;
  for (std::uint32_t row = 0; row < logits.size(); ++row) {
    if (!had[row]) order.push_back(row);
  }
  limit = std::min(limit, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(limit), order.end(),
                    [&](auto a, auto b) { return logits[a] > logits[b]; });
  std::string line = person.name + '\t';
  for (std::size_t i = 0; i < limit; ++i) {
    const std::string& id = data.items[order[i]];
    const auto colon = strip_kind ? id.find(':') : id.npos;
    if (i > 0) line += ',';
    line += colon == id.npos ? id : id.substr(colon + 1);
  }
  return line + '\n';
}

}  // namespace

Status write_lists(const std::string& file, const processors::SequenceModel& model,
                   const Sequences& data, std::size_t limit, bool strip_kind) {
  std::string text;
  for (const auto& person : data.people) text += line_of(person, model, data, limit, strip_kind);
  return processors::replace_file(file, text);
}

}  // namespace millrace::train
