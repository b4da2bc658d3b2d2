#include "train/fit_state.h"

#include <filesystem>
#include <functional>
#include <sstream>
#include <utility>

#include "processors/training/model_file.h"

namespace millrace::train {
namespace {

// A version of this, too: a state of another one is begun anew.
constexpr std::uint64_t kFormat = 1;

void add(std::uint64_t& hash, std::uint64_t number) {
  hash = (hash ^ number) * 0x9e3779b97f4a7c15u;
  hash ^= hash >> 32;
}

}  // namespace

std::uint64_t Sequences::hash() const {
  std::uint64_t sum = genre_count;
  for (const auto& item : items) {
    for (const char c : item) add(sum, static_cast<unsigned char>(c));
    add(sum, 256);
  }
  const auto add_list = [&sum](const std::vector<std::uint32_t>& list) {
    for (const auto row : list) add(sum, row);
    add(sum, std::uint64_t{1} << 32);
  };
  for (const auto& list : genres) add_list(list);
  for (const auto& person : people) add_list(person.liked);
  return sum;
}

// Threads matter: they decide in which order sums are made. How many epochs are allowed does not.
std::uint64_t key_of(const Sequences& data, const FitOptions& options) {
  std::uint64_t key = data.hash();
  const auto real = [](double x) { return std::hash<double>()(x); };
  for (const std::uint64_t number :
       {kFormat, std::uint64_t{options.deep.embedding_dim}, real(options.deep.learning_rate),
        options.deep.seed, std::uint64_t{options.blocks}, std::uint64_t{options.heads},
        std::uint64_t{options.length}, real(options.dropout), real(options.weight_decay),
        std::uint64_t{options.batch}, std::uint64_t{options.candidates},
        static_cast<std::uint64_t>(options.threads)}) {
    add(key, number);
  }
  return key;
}

std::vector<torch::Tensor> copy_parameters(const Net& net) {
  std::vector<torch::Tensor> out;
  for (const auto& parameter : net.parameters()) out.push_back(parameter.detach().clone());
  return out;
}

void load_parameters(Net& net, const std::vector<torch::Tensor>& from) {
  const torch::NoGradGuard guard;
  auto parameters = net.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].copy_(from[i]);
}

Status save_state(const std::string& file, const Net& net, const torch::optim::Adam& adam,
                  const FitProgress& progress) {
  torch::serialize::OutputArchive out;
  const auto number = [&](const char* name, std::int64_t value) {
    out.write(name, torch::tensor(value, torch::kLong));
  };
  number("key", static_cast<std::int64_t>(progress.key));
  number("epoch", progress.epoch);
  number("best_epoch", progress.best_epoch);
  out.write("best_loss", torch::tensor(progress.best_loss, torch::kDouble));
  out.write("best_ndcg", torch::tensor(progress.best_ndcg, torch::kDouble));
  const auto parameters = net.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    out.write("now" + std::to_string(i), parameters[i].detach());
    out.write("best" + std::to_string(i), progress.best[i]);
  }
  torch::serialize::OutputArchive steps;
  adam.save(steps);
  out.write("adam", steps);
  std::ostringstream bytes;
  out.save_to(bytes);
  return processors::replace_file(file, bytes.str());
}

bool load_state(const std::string& file, Net& net, torch::optim::Adam& adam,
                FitProgress& progress) {
  if (!std::filesystem::exists(file)) return false;
  try {
    torch::serialize::InputArchive in;
    in.load_from(file);
    const auto tensor = [&](const std::string& name) {
      torch::Tensor read;  // a new one each time: one that is defined keeps its type
      in.read(name, read);
      return read;
    };
    const auto number = [&](const std::string& name) { return tensor(name).item<std::int64_t>(); };
    const auto real = [&](const std::string& name) { return tensor(name).item<double>(); };
    FitProgress read;
    read.key = static_cast<std::uint64_t>(number("key"));
    if (read.key != progress.key) return false;
    read.epoch = static_cast<std::uint32_t>(number("epoch"));
    read.best_epoch = static_cast<std::uint32_t>(number("best_epoch"));
    read.best_loss = real("best_loss");
    read.best_ndcg = real("best_ndcg");
    std::vector<torch::Tensor> now;
    for (std::size_t i = 0; i < net.parameters().size(); ++i) {
      now.push_back(tensor("now" + std::to_string(i)));
      read.best.push_back(tensor("best" + std::to_string(i)));
    }
    torch::serialize::InputArchive steps;
    in.read("adam", steps);
    adam.load(steps);
    load_parameters(net, now);
    progress = std::move(read);
    return true;
  } catch (const std::exception&) {  // c10::Error and what standard streams throw: damaged
    return false;
  }
}

}  // namespace millrace::train
