#include "train/sequences.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/metrics.h"
#include "ingest/importers/movielens.h"
#include "processors/views/positives.h"
#include "schemas/event_json.h"
#include "schemas/item_json.h"
#include "state/catalog_store.h"
#include "state/checkpoint.h"
#include "state/partition_store.h"

namespace millrace::train {
namespace {

namespace fs = std::filesystem;

// One person's dealings before rows are given out.
struct Dealings {
  std::string name;
  std::vector<std::string> liked, other;
};

// Gives out rows in the order in which people come, so that the same data makes the same rows.
class Builder {
 public:
  void genres(const std::string& item, std::vector<std::string> names) {
    genres_[item] = std::move(names);
  }
  void person(Dealings person) {
    if (!person.liked.empty()) people_.push_back(std::move(person));
  }

  Sequences build(Position position) && {
    Sequences out;
    out.position = std::move(position);
    for (const Dealings& person : people_) {
      auto& to = out.people.emplace_back();
      to.name = person.name;
      for (const auto& item : person.liked) to.liked.push_back(row_of(item, out));
    }
    for (std::size_t i = 0; i < people_.size(); ++i) {
      for (const auto& item : people_[i].other) {
        if (const auto row = rows_.find(item); row != rows_.end()) {
          out.people[i].other.push_back(row->second);
        }
      }
      std::sort(out.people[i].other.begin(), out.people[i].other.end());
    }
    return out;
  }

 private:
  std::uint32_t row_of(const std::string& item, Sequences& out) {
    const auto [found, fresh] =
        rows_.try_emplace(item, static_cast<std::uint32_t>(out.items.size()));
    if (!fresh) return found->second;
    out.items.push_back(item);
    auto& numbers = out.genres.emplace_back();
    for (const auto& name : genres_[item]) {
      const auto number = genre_numbers_.try_emplace(name, out.genre_count).first->second;
      out.genre_count = static_cast<std::uint32_t>(genre_numbers_.size());
      numbers.push_back(number);
    }
    return found->second;
  }

  std::vector<Dealings> people_;
  std::unordered_map<std::string, std::vector<std::string>> genres_;
  std::unordered_map<std::string, std::uint32_t> rows_, genre_numbers_;
};

Dealings dealings_of(std::string_view user, const state::Person& person,
                     const state::PartitionStore& store, const state::NameTable& items) {
  std::vector<std::pair<std::uint32_t, std::string>> liked;
  Dealings out{std::string(user), {}, {}};
  person.for_each_row([&](const state::ItemRow& row) {
    std::string id(items.name(store.index_of(row.item)));
    if (processors::counts_as_positive(row)) {
      liked.emplace_back(row.order, std::move(id));
    } else {
      out.other.push_back(std::move(id));
    }
  });
  std::sort(liked.begin(), liked.end());
  for (auto& [order, id] : liked) out.liked.push_back(std::move(id));
  return out;
}

void take_genres(Builder& builder, const state::CatalogView& view,
                 const state::CatalogNames& names) {
  view.for_each(0, [&](const state::CatalogItem& item) {
    std::vector<std::string> genres;
    for (const auto category : item.categories) {
      genres.emplace_back(names.categories.name(category));
    }
    builder.genres(item.item.id.value, std::move(genres));
    return true;
  });
}

// Every row of a part of MovieLens, good ones only.
template <class Take>
Status for_each_row(const ingest::ImportPart& part, Take&& take) {
  MILLRACE_TRY(const auto reader, part.open());
  while (const auto row = reader->next()) {
    if (row->json) MILLRACE_CHECK(take(*row->json));
  }
  return {};
}

}  // namespace

Result<Sequences> sequences_of_state(const std::string& directory) {
  const fs::path root = directory;
  Metrics metrics;
  const state::RocksShared shared({});
  state::NameTable items;
  state::CatalogNames names;
  Builder builder;
  Position position;
  const auto reach = [&](LogPartition partition, Offset next) {
    if (next > 0) position.include(partition, next - 1);
  };
  std::error_code error;
  const auto catalog_folder = root / state::database_folder(kCatalogPartition);
  if (!fs::exists(catalog_folder, error)) {
    return fail(Code::kNotFound, directory + " holds no databases of Millrace");
  }
  MILLRACE_TRY(const auto catalog,
               state::CatalogStore::open({catalog_folder, state::Db::Mode::kReadOnly}, shared,
                                         items, names, metrics));
  take_genres(builder, *catalog->view(), names);
  reach(kCatalogPartition, catalog->next_offset());
  for (std::uint16_t p = 0;; ++p) {
    const LogPartition partition{Topic::kInteractions, p};
    state::PartitionStore::Options options;
    options.directory = root / state::database_folder(partition);
    options.partition = p;
    options.mode = state::Db::Mode::kReadOnly;
    if (!fs::exists(options.directory, error)) break;
    MILLRACE_TRY(const auto store,
                 state::PartitionStore::open(options, shared, items, names, metrics));
    MILLRACE_CHECK(store->for_each_person([&](std::string_view user, const auto& person) {
      builder.person(dealings_of(user, person, *store, items));
      return true;
    }));
    reach(partition, store->published().next_offset);
  }
  return std::move(builder).build(std::move(position));
}

Result<Sequences> sequences_of_movielens(const std::string& folder) {
  MILLRACE_TRY(const auto parts, ingest::movielens_parts(folder));
  Builder builder;
  std::map<std::string, Dealings> people;
  for (const auto& part : parts) {
    if (part.kind == ingest::ImportKind::kItems) {
      MILLRACE_CHECK(for_each_row(part, [&](const std::string& json) -> Status {
        MILLRACE_TRY(auto item, parse_item(json, {}));
        builder.genres(item.id.value, std::move(item.categories));
        return {};
      }));
      continue;
    }
    MILLRACE_CHECK(for_each_row(part, [&](const std::string& json) -> Status {
      MILLRACE_TRY(const auto events, parse_events(json, BodyKind::kJson));
      for (const auto& outcome : events) {
        if (!outcome.event) continue;
        auto& person = people[outcome.event->user.value];
        const bool good = outcome.event->value_centi.value_or(0) >= processors::kPositiveFromCenti;
        (good ? person.liked : person.other).push_back(outcome.event->item.value);
      }
      return {};
    }));
  }
  for (auto& [name, person] : people) {
    person.name = name;
    builder.person(std::move(person));
  }
  return std::move(builder).build({});
}

}  // namespace millrace::train
