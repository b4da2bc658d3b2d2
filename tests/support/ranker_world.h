#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "processors/rankers/ranker.h"
#include "schemas/interaction_table.h"

namespace millrace {

// A small Millrace without a log or RocksDB: a catalog, people in two partitions, cells, lists and
// co-occurrence, kept with simple rules of its own (every positive interaction enters the person's
// sequence; rating marks as watched).
class RankerWorld {
 public:
  RankerWorld();

  Item& put(const std::string& id, std::vector<std::string> categories = {},
            std::vector<std::string> tags = {});  // kind: before the colon; made visible at once
  void put(const Item& item);
  void erase(const std::string& id);

  void rate(const std::string& user, const std::string& item, double stars);
  void watch(const std::string& user, const std::string& item);
  void like(const std::string& user, const std::string& item);
  void unlike(const std::string& user, const std::string& item);
  void save(const std::string& user, const std::string& item);
  void view(const std::string& user, const std::string& item, BuiltIn type = BuiltIn::kView,
            int times = 1);
  void share(const std::string& user, const std::string& item);
  void dislike(const std::string& user, const std::string& item);
  void skip(const std::string& user, const std::string& item) { view(user, item, BuiltIn::kSkip); }
  // What is said of answers; replaces what was said.
  void set_rules(const std::vector<RankingRule>& rules);

  // Without publishing after every call, for bulk loads; then rebuild().
  void set_quiet(bool quiet) { quiet_ = quiet; }
  void rebuild();

  processors::ReadState state(const std::string& user = {}, const std::string& session = {});
  processors::KnownPerson known(const std::string& user);
  // Keeps a fresh profile for the person, as the partition would.
  void keep_profile(const std::string& user);
  state::ItemIndex index(const std::string& id) const;
  std::string id(state::ItemIndex item) const;
  std::vector<std::string> ids(const processors::Ranked& ranked) const;
  state::ItemCounts counts(state::ItemIndex item) const;
  const state::CatalogView& catalog() const { return *view_; }
  const processors::RankedListsBuilder& lists() const { return *lists_; }
  processors::RankedListsBuilder& lists() { return *lists_; }

  state::NameTable items;
  state::CatalogNames names;
  processors::Cooccurrence cooccurrence;
  processors::InteractionMatrix matrix{2, SIZE_MAX};
  processors::Sessions sessions{std::size_t{1} << 20};
  std::shared_ptr<const processors::SequenceModel> deep_learning;  // null: not trained
  std::shared_ptr<const processors::LinearModel> linear;           // null until somebody makes one
  processors::RankingOptions options;
  std::vector<processors::Fatigue::Shown> shown;  // of whoever is asked for
  UnixMillis now = 1'700'000'000'000;             // of the events that follow
  Offset offset = 0;

 private:
  struct Partition {
    std::map<std::string, state::ItemNumber> numbers;
    std::vector<state::ItemIndex> indexes;
    std::vector<state::ItemStats> stats;
    std::map<std::string, std::shared_ptr<const state::Person>> people;
    std::map<std::string, std::shared_ptr<const state::Profile>> profiles;
    state::ItemCells cells;
  };
  template <class F>
  void change(const std::string& user, const std::string& item, BuiltIn type, F&& edit);
  Partition& partition_of_user(const std::string& user);
  std::shared_ptr<const state::CatalogView> build();
  void refresh(state::ItemIndex item);
  void enter_sequence(Partition& partition, state::Person& person, state::ItemRow& row);

  InteractionTable table_;
  Item item_;
  bool quiet_ = false;
  state::CatalogViewBuilder builder_;
  std::shared_ptr<const state::RankingRulesView> rules_ =
      std::make_shared<const state::RankingRulesView>();
  std::shared_ptr<const state::CatalogView> view_;
  std::unique_ptr<processors::RankedListsBuilder> lists_;
  std::array<Partition, 2> partitions_;
};

}  // namespace millrace
