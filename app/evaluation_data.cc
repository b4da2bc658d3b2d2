#include "app/evaluation_data.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "ingest/importers/movielens.h"
#include "processors/views/positives.h"
#include "schemas/event_json.h"
#include "schemas/item_json.h"

namespace millrace::app {
namespace {

constexpr std::uint64_t kTellEvery = 5'000;  // rows

// Ids in the order of the numbers that they are, others behind them by their letters.
bool id_less(const std::string& a, const std::string& b) {
  const auto digits = [](const std::string& id) {
    return !id.empty() &&
           std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const bool x = digits(a), y = digits(b);
  if (x != y) return x;
  return x && a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::string bare(const std::string& id) { return id.substr(id.find(':') + 1); }

struct Numbers {
  std::map<std::string, std::uint32_t> of;
  std::uint32_t number(const std::string& id) {
    return of.emplace(id, static_cast<std::uint32_t>(of.size())).first->second;
  }
};

// Names in order, and the way from numbers as they were given to places in that order.
std::pair<std::vector<std::string>, std::vector<std::uint32_t>> sorted(const Numbers& numbers) {
  std::vector<std::string> names(numbers.of.size());
  for (const auto& [name, number] : numbers.of) names[number] = name;
  std::vector<std::uint32_t> order(names.size()), place(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return id_less(bare(names[a]), bare(names[b]));
  });
  std::vector<std::string> out(names.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    out[i] = std::move(names[order[i]]);
  }
  return {std::move(out), std::move(place)};
}

std::uint32_t tie(const EvaluationData& data, const Sample& sample) {
  const std::string text = data.users[sample.user] + ":" + data.items[sample.item];
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

void put_in_order(EvaluationData& data) {
  std::vector<std::pair<std::uint32_t, Sample>> keyed;
  for (const Sample& sample : data.samples) keyed.emplace_back(tie(data, sample), sample);
  std::sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const auto key = [&](const auto& one) {
      return std::tuple(one.second.time / 1000, one.first, data.users[one.second.user],
                        data.items[one.second.item]);
    };
    return key(a) < key(b);
  });
  for (std::size_t i = 0; i < keyed.size(); ++i) data.samples[i] = keyed[i].second;
}

class Reading {
 public:
  Status read_row(ingest::ImportKind kind, const std::string& json) {
    return kind == ingest::ImportKind::kItems ? read_item(json) : read_event(json);
  }
  EvaluationData finish() && {
    const auto [users, user_place] = sorted(users_);
    const auto [items, item_place] = sorted(items_);
    data_.users = users;
    data_.item_ids = items;
    for (const auto& id : items) data_.items.push_back(bare(id));
    for (Sample& sample : data_.samples) {
      sample.user = user_place[sample.user];
      sample.item = item_place[sample.item];
    }
    put_in_order(data_);
    return std::move(data_);
  }

 private:
  Status read_item(const std::string& json) {
    MILLRACE_TRY(auto item, parse_item(json, std::nullopt));
    items_.number(item.id.value);
    data_.catalog.push_back(std::move(item));
    return {};
  }
  Status read_event(const std::string& json) {
    MILLRACE_TRY(const auto outcomes, parse_events(json, BodyKind::kJson));
    for (const auto& outcome : outcomes) {
      MILLRACE_TRY(const auto& event, outcome.event);
      const auto* type = table_.find(event.type);
      if (type == nullptr || !event.time) continue;
      data_.samples.push_back({users_.number(event.user.value), items_.number(event.item.value),
                               *event.time, type->number, event.value_centi.value_or(0)});
    }
    return {};
  }

  InteractionTable table_;
  Numbers users_, items_;
  EvaluationData data_;
};

}  // namespace

bool Sample::positive() const {
  return type == static_cast<std::uint32_t>(BuiltIn::kRate) &&
         value_centi >= processors::kPositiveFromCenti;
}

Result<EvaluationData> read_movielens(
    const std::string& folder,
    const std::function<bool(double share, std::uint64_t rows)>& progress) {
  MILLRACE_TRY(const auto parts, ingest::movielens_parts(folder));
  Reading reading;
  std::uint64_t rows = 0;
  for (const auto& part : parts) {
    MILLRACE_TRY(const auto reader, part.open());
    while (const auto row = reader->next()) {
      if (row->json) {
        // A row that breaks a rule is the importer's to complain of.
        static_cast<void>(reading.read_row(part.kind, *row->json));
      }
      if (++rows % kTellEvery == 0 && !progress(reader->progress(), rows)) {
        return fail(Code::kUnavailable, "stopped");
      }
    }
  }
  return std::move(reading).finish();
}

}  // namespace millrace::app
