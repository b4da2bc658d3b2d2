#include "train/net.h"

#include <cmath>

namespace millrace::train {
namespace {

using processors::SequenceModel;

constexpr double kSpread = 0.05;  // of the vectors that training starts from

std::vector<float> numbers(const torch::Tensor& from) {
  const auto flat = from.detach().to(torch::kFloat).contiguous().view({-1});
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}
SequenceModel::Linear numbers(const torch::nn::Linear& from) {
  return {numbers(from->weight), numbers(from->bias)};
}
SequenceModel::Norm numbers(const torch::nn::LayerNorm& from) {
  return {numbers(from->weight), numbers(from->bias)};
}

torch::nn::LayerNorm norm_of(std::int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}));
}

// Head h starts out forgetting with the distance at the rate 2^-h.
torch::Tensor slopes(std::int64_t heads, std::int64_t length) {
  const auto rate = torch::pow(0.5, torch::arange(heads, torch::kFloat)).unsqueeze(1);
  return -rate * torch::arange(length, torch::kFloat).unsqueeze(0) * 0.5;
}

}  // namespace

Net::Net(const NetShape& shape, torch::Tensor genres) : shape_(shape), genres_(std::move(genres)) {
  own_ = register_parameter("own", torch::randn({shape.items, shape.dim}) * kSpread);
  of_genre_ = register_parameter("of_genre", torch::randn({genres_.size(1), shape.dim}) * kSpread);
  item_bias = register_parameter("item_bias", torch::zeros({shape.items}));
  for (std::int64_t b = 0; b < shape.blocks; ++b) blocks_.push_back(make_block(std::to_string(b)));
  last_ = register_module("last", norm_of(shape.dim));
}

Net::Block Net::make_block(const std::string& name) {
  const auto linear = [&](const char* part, std::int64_t in, std::int64_t out) {
    return register_module(part + name, torch::nn::Linear(in, out));
  };
  Block block;
  block.attention_norm = register_module("attention_norm" + name, norm_of(shape_.dim));
  block.query = linear("query", shape_.dim, shape_.dim);
  block.key = linear("key", shape_.dim, shape_.dim);
  block.value = linear("value", shape_.dim, shape_.dim);
  block.out = linear("out", shape_.dim, shape_.dim);
  block.distance = register_parameter("distance" + name, slopes(shape_.heads, shape_.length));
  block.feed_norm = register_module("feed_norm" + name, norm_of(shape_.dim));
  block.up = linear("up", shape_.dim, shape_.hidden);
  block.down = linear("down", shape_.hidden, shape_.dim);
  return block;
}

torch::Tensor Net::drop(const torch::Tensor& x) {
  return torch::dropout(x, shape_.dropout, is_training());
}

torch::Tensor Net::item_vectors() { return own_ + genres_.mm(of_genre_); }

torch::Tensor Net::attend(const Block& block, const torch::Tensor& normed) {
  const auto batch = normed.size(0), time = normed.size(1);
  const auto width = shape_.dim / shape_.heads;
  const auto split = [&](torch::nn::Linear linear) {
    return linear->forward(normed).view({batch, time, shape_.heads, width}).transpose(1, 2);
  };
  const auto ticks = torch::arange(time);
  const auto before = ticks.unsqueeze(1) - ticks.unsqueeze(0);  // query - key
  const auto bias = block.distance.index_select(1, before.clamp_min(0).view({-1}))
                        .view({shape_.heads, time, time})
                        .masked_fill(before.lt(0), -1e9);
  const auto logits =
      split(block.query).matmul(split(block.key).transpose(2, 3)) / std::sqrt(width) + bias;
  const auto gathered = drop(logits.softmax(-1)).matmul(split(block.value));
  torch::nn::Linear out = block.out;
  return out->forward(gathered.transpose(1, 2).reshape({batch, time, shape_.dim}));
}

torch::Tensor Net::represent(const torch::Tensor& vectors, const torch::Tensor& sequences) {
  auto x = drop(torch::embedding(vectors, sequences));
  for (Block& block : blocks_) {
    x = x + drop(attend(block, block.attention_norm->forward(x)));
    const auto fed = torch::relu(block.up->forward(block.feed_norm->forward(x)));
    x = x + drop(block.down->forward(drop(fed)));
  }
  return last_->forward(x);
}

processors::SequenceModel Net::export_model() {
  const torch::NoGradGuard guard;
  SequenceModel out;
  out.dim = static_cast<std::uint32_t>(shape_.dim);
  out.heads = static_cast<std::uint32_t>(shape_.heads);
  out.hidden = static_cast<std::uint32_t>(shape_.hidden);
  out.length = static_cast<std::uint32_t>(shape_.length);
  out.item_vectors = numbers(item_vectors());
  out.item_bias = numbers(item_bias);
  for (const Block& block : blocks_) {
    SequenceModel::Block to;
    to.attention_norm = numbers(block.attention_norm);
    to.query = numbers(block.query);
    to.key = numbers(block.key);
    to.value = numbers(block.value);
    to.out = numbers(block.out);
    to.distance = numbers(block.distance);
    to.feed_norm = numbers(block.feed_norm);
    to.up = numbers(block.up);
    to.down = numbers(block.down);
    out.blocks.push_back(std::move(to));
  }
  out.last = numbers(last_);
  return out;
}

}  // namespace millrace::train
