#include "train/lists.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace millrace::train {
namespace {

std::string line_of(const Sequences::Person& person, const processors::SequenceModel& model,
                    const Sequences& data, std::size_t limit, bool strip_kind) {
  auto logits = model.logits(model.represent(person.liked));
  for (const auto* rows : {&person.liked, &person.other}) {
    for (const auto row : *rows) logits[row] = -std::numeric_limits<float>::infinity();
  }
  std::vector<std::uint32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0u);
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
