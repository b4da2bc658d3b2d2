#include "tests/support/sequence_models.h"

#include <random>
#include <utility>

namespace millrace {

using processors::SequenceModel;

SequenceModel random_sequence_model(std::vector<std::string> ids, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto numbers = [&](std::size_t count) {
    std::vector<float> out(count);
    for (float& x : out) x = static_cast<float>(random() % 2001) / 2000.0f - 0.5f;
    return out;
  };
  const auto linear = [&](std::size_t in, std::size_t out) {
    return SequenceModel::Linear{numbers(in * out), numbers(out)};
  };
  SequenceModel model;
  model.dim = 8;
  model.heads = 2;
  model.hidden = 12;
  model.length = 8;
  const auto norm = [&] { return SequenceModel::Norm{numbers(8), numbers(8)}; };
  for (int b = 0; b < 2; ++b) {
    model.blocks.push_back({norm(), linear(8, 8), linear(8, 8), linear(8, 8), linear(8, 8),
                            numbers(std::size_t{model.heads} * model.length), norm(), linear(8, 12),
                            linear(12, 8)});
  }
  model.last = norm();
  model.item_vectors = numbers(ids.size() * 8);
  model.item_bias = numbers(ids.size());
  model.ids = std::move(ids);
  return model;
}

}  // namespace millrace
