#include "processors/training/sequence_model.h"

#include <algorithm>
#include <cmath>

#include "schemas/proto/models.pb.h"

namespace millrace::processors {
namespace {

using Stored = proto::SequenceModel;
using Model = SequenceModel;

template <class Field>
void put(const std::vector<float>& from, Field* to) {
  to->Add(from.begin(), from.end());
}
void put(const Model::Linear& from, Stored::Linear* to) {
  put(from.weight, to->mutable_weight());
  put(from.bias, to->mutable_bias());
}
void put(const Model::Norm& from, Stored::Norm* to) {
  put(from.scale, to->mutable_scale());
  put(from.shift, to->mutable_shift());
}

// Takes numbers and remembers whether all were as many as they should be, and finite.
struct Reader {
  bool sound = true;

  template <class Field>
  std::vector<float> numbers(const Field& from, std::size_t count) {
    std::vector<float> out(from.begin(), from.end());
    sound = sound && out.size() == count &&
            std::all_of(out.begin(), out.end(), [](float x) { return std::isfinite(x); });
    return out;
  }
  Model::Linear linear(const Stored::Linear& from, std::size_t in, std::size_t out) {
    return {numbers(from.weight(), in * out), numbers(from.bias(), out)};
  }
  Model::Norm norm(const Stored::Norm& from, std::size_t dim) {
    return {numbers(from.scale(), dim), numbers(from.shift(), dim)};
  }
  Model::Block block(const Stored::Block& from, const Model& model) {
    const std::size_t dim = model.dim, hidden = model.hidden;
    Model::Block out;
    out.attention_norm = norm(from.attention_norm(), dim);
    out.query = linear(from.query(), dim, dim);
    out.key = linear(from.key(), dim, dim);
    out.value = linear(from.value(), dim, dim);
    out.out = linear(from.out(), dim, dim);
    out.distance = numbers(from.distance(), std::size_t{model.heads} * model.length);
    out.feed_norm = norm(from.feed_norm(), dim);
    out.up = linear(from.up(), dim, hidden);
    out.down = linear(from.down(), hidden, dim);
    return out;
  }
};

constexpr std::uint32_t kMaxSize = 65'536;  // of any side but the items

bool plausible(const Stored& stored) {
  const auto fits = [](std::uint32_t n) { return n > 0 && n <= kMaxSize; };
  return fits(stored.dim()) && fits(stored.heads()) && fits(stored.hidden()) &&
         fits(stored.length()) && stored.dim() % stored.heads() == 0 && stored.items_size() > 0 &&
         stored.blocks_size() > 0;
}

// Leaves the rows of items that `known` has, each with its index.
void join(Model& model, const state::NameTable& known) {
  std::size_t kept = 0;
  for (std::size_t row = 0; row < model.ids.size(); ++row) {
    const auto item = known.find(model.ids[row]);
    if (!item) continue;
    if (kept != row) {
      model.ids[kept] = std::move(model.ids[row]);
      model.item_bias[kept] = model.item_bias[row];
      const auto vector = model.item_vectors.begin();
      const auto at = [&](std::size_t i) { return static_cast<std::ptrdiff_t>(i * model.dim); };
      std::copy(vector + at(row), vector + at(row + 1), vector + at(kept));
    }
    if (*item >= model.rows.size()) model.rows.resize(*item + std::size_t{1}, Model::kNoRow);
    model.rows[*item] = static_cast<std::uint32_t>(kept++);
    model.items.push_back(*item);
  }
  model.ids.resize(kept);
  model.item_bias.resize(kept);
  model.item_vectors.resize(kept * model.dim);
}

}  // namespace

ModelFile SequenceModel::encode() const {
  Stored message;
  message.set_dim(dim);
  message.set_heads(heads);
  message.set_hidden(hidden);
  message.set_length(length);
  for (const auto& id : ids) message.add_items(id);
  put(item_vectors, message.mutable_vectors());
  put(item_bias, message.mutable_bias());
  for (const Block& block : blocks) {
    auto* to = message.add_blocks();
    put(block.attention_norm, to->mutable_attention_norm());
    put(block.query, to->mutable_query());
    put(block.key, to->mutable_key());
    put(block.value, to->mutable_value());
    put(block.out, to->mutable_out());
    put(block.distance, to->mutable_distance());
    put(block.feed_norm, to->mutable_feed_norm());
    put(block.up, to->mutable_up());
    put(block.down, to->mutable_down());
  }
  put(last, message.mutable_last());
  message.set_epoch(record.epoch);
  message.set_seed(record.seed);
  message.set_loss(record.loss);
  message.set_ndcg(record.ndcg);
  return {std::string(kSequenceModelName), position, message.SerializeAsString()};
}

Result<SequenceModel> SequenceModel::decode(const ModelFile& file, const state::NameTable& known) {
  const auto corrupt = [&] {
    return fail(Code::kCorrupt, "the model " + file.name + " contradicts itself");
  };
  Stored message;
  if (!message.ParseFromString(file.model) || !plausible(message)) return corrupt();
  SequenceModel model;
  model.dim = message.dim();
  model.heads = message.heads();
  model.hidden = message.hidden();
  model.length = message.length();
  model.ids.assign(message.items().begin(), message.items().end());
  Reader reader;
  model.item_vectors = reader.numbers(message.vectors(), model.ids.size() * model.dim);
  model.item_bias = reader.numbers(message.bias(), model.ids.size());
  for (const auto& block : message.blocks()) model.blocks.push_back(reader.block(block, model));
  model.last = reader.norm(message.last(), model.dim);
  if (!reader.sound) return corrupt();
  model.record = {message.epoch(), message.seed(), message.loss(), message.ndcg()};
  model.position = file.position;
  join(model, known);
  return model;
}

}  // namespace millrace::processors
