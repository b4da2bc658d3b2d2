#include "processors/training/neighbour_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "schemas/proto/models.pb.h"

namespace millrace::processors {

Result<NeighbourModel> NeighbourModel::train(const InteractionMatrix& matrix, std::uint32_t items,
                                             const Position& position, JobControl& control) {
  NeighbourModel model;
  model.position = position;
  for (state::ItemIndex item = 0; item < items; ++item) {
    const std::uint32_t people = matrix.people(item);
    if (people > 0) model.rows.push_back({item, people, {}});
  }
  std::stable_sort(model.rows.begin(), model.rows.end(),
                   [](const Row& a, const Row& b) { return a.people > b.people; });
  model.rows.resize(std::min(model.rows.size(), kMaxProducts));
  for (std::size_t i = 0; i < model.rows.size(); ++i) {
    if (control.cancelled()) return fail(Code::kUnavailable, "cancelled");
    control.progress(static_cast<double>(i) / static_cast<double>(model.rows.size()));
    Row& row = model.rows[i];
    row.others = matrix.overlap(row.product, SIZE_MAX).others;
    const auto nearness = [&](const Neighbour& other) {
      return other.count / std::sqrt(static_cast<double>(std::max(1u, matrix.people(other.item))));
    };
    const auto cut = static_cast<std::ptrdiff_t>(std::min(row.others.size(), kMaxNeighbours));
    std::vector<std::pair<double, Neighbour>> keyed;
    for (const Neighbour& other : row.others) keyed.emplace_back(nearness(other), other);
    std::partial_sort(
        keyed.begin(), keyed.begin() + cut, keyed.end(), [](const auto& a, const auto& b) {
          return a.first != b.first ? a.first > b.first : a.second.item < b.second.item;
        });
    row.others.clear();
    for (auto at = keyed.begin(); at != keyed.begin() + cut; ++at) row.others.push_back(at->second);
    row.others.shrink_to_fit();
    model.place.emplace(row.product, static_cast<std::uint32_t>(i));
  }
  return model;
}

ModelFile NeighbourModel::encode(const InteractionMatrix& matrix,
                                 const state::NameTable& items) const {
  proto::NeighbourModel message;
  std::unordered_map<state::ItemIndex, std::uint32_t> numbers;
  const auto number_of = [&](state::ItemIndex item, std::uint32_t people) {
    const auto [known, fresh] =
        numbers.emplace(item, static_cast<std::uint32_t>(message.products_size()));
    if (fresh) {
      message.add_products(std::string(items.name(item)));
      message.add_people(people);
    }
    return known->second;
  };
  for (const Row& row : rows) number_of(row.product, row.people);
  for (const Row& row : rows) {
    auto* out = message.add_rows();
    out->set_product(numbers.at(row.product));
    for (const Neighbour& other : row.others) {
      out->add_others(number_of(other.item, matrix.people(other.item)));
      out->add_people(other.count);
    }
  }
  return {std::string(kNeighbourModelName), position, message.SerializeAsString()};
}

Result<NeighbourModel> NeighbourModel::decode(const ModelFile& file,
                                              const state::NameTable& items) {
  proto::NeighbourModel message;
  const auto known = [&](std::uint32_t product) {
    return product < static_cast<std::uint32_t>(message.products_size());
  };
  const bool sound =
      message.ParseFromString(file.model) && message.people_size() == message.products_size() &&
      std::all_of(message.rows().begin(), message.rows().end(), [&](const auto& row) {
        return known(row.product()) && row.others_size() == row.people_size() &&
               std::all_of(row.others().begin(), row.others().end(), known);
      });
  if (!sound) return fail(Code::kCorrupt, "the model " + file.name + " contradicts itself");
  NeighbourModel model;
  model.position = file.position;
  std::vector<state::ItemIndex> indexes;
  for (const auto& id : message.products()) {
    indexes.push_back(items.find(id).value_or(state::kNoItem));
  }
  for (const auto& stored : message.rows()) {
    Row row{indexes[stored.product()], message.people(static_cast<int>(stored.product())), {}};
    if (row.product == state::kNoItem) continue;
    for (int i = 0; i < stored.others_size(); ++i) {
      const auto other = indexes[stored.others(i)];
      if (other != state::kNoItem) row.others.push_back({other, stored.people(i)});
    }
    model.place.emplace(row.product, static_cast<std::uint32_t>(model.rows.size()));
    model.rows.push_back(std::move(row));
  }
  return model;
}

std::span<const Neighbour> NeighbourModel::overlaps(state::ItemIndex product) const {
  const auto found = place.find(product);
  return found == place.end() ? std::span<const Neighbour>() : rows[found->second].others;
}

}  // namespace millrace::processors
