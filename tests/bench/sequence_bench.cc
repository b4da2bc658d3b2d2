// One request of deep_learning: the network over a person's last 50 items, and every item's logit.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include "processors/training/sequence_model.h"

namespace millrace {
namespace {

using processors::SequenceModel;

SequenceModel model_of(std::uint32_t items, std::uint32_t dim) {
  std::mt19937 random(1);
  const auto numbers = [&](std::size_t count) {
    std::vector<float> out(count);
    for (float& x : out) x = static_cast<float>(random() % 2001) / 10000.0f - 0.1f;
    return out;
  };
  const auto linear = [&](std::size_t in, std::size_t out) {
    return SequenceModel::Linear{numbers(in * out), numbers(out)};
  };
  SequenceModel model;
  model.dim = dim;
  model.heads = 2;
  model.hidden = 2 * dim;
  model.length = 50;
  const auto norm = [&] { return SequenceModel::Norm{numbers(dim), numbers(dim)}; };
  model.blocks.push_back({norm(), linear(dim, dim), linear(dim, dim), linear(dim, dim),
                          linear(dim, dim), numbers(std::size_t{2} * 50), norm(),
                          linear(dim, 2 * dim), linear(2 * dim, dim)});
  model.last = norm();
  model.ids.resize(items);
  model.item_vectors = numbers(std::size_t{items} * dim);
  model.item_bias = numbers(items);
  return model;
}

void measure(std::uint32_t items, std::uint32_t dim) {
  const auto model = model_of(items, dim);
  std::vector<std::uint32_t> sequence;
  for (std::uint32_t i = 0; i < 50; ++i) sequence.push_back(i * 37 % items);
  std::vector<double> micros;
  float sum = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    sum += model.logits(model.represent(sequence)).back();
    micros.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::nth_element(micros.begin(), micros.begin() + 1000, micros.end());
  std::printf("%u items, %u numbers each: %.0f us a request (median of 2000; %g)\n", items, dim,
              micros[1000], double{sum});
}

}  // namespace
}  // namespace millrace

int main() {
  millrace::measure(1'682, 64);
  millrace::measure(9'742, 64);
  millrace::measure(50'000, 64);
  millrace::measure(9'742, 128);
}
