#include "state/genres.h"

#include <gtest/gtest.h>

#include "tests/state/catalog_world.h"

namespace millrace::state {
namespace {

class GenresTest : public CatalogWorld {
 protected:
  GenresTest() : genres_(store_->genres()) {}
  void open() {
    CatalogWorld::open();
    genres_ = store_->genres();
  }
  CommandVerdict apply(const CatalogChange& change) {
    const auto verdict = put(change);
    genres_ = store_->genres();
    return verdict.value_or(CommandVerdict{CommandOutcome::kNotFound, 999});
  }
  static Item item(const std::string& id, const std::string& kind,
                   std::vector<std::string> categories) {
    Item item;
    item.id = ItemId(id);
    item.kind = kind;
    item.categories = std::move(categories);
    return item;
  }
  std::vector<std::string> categories(const std::string& id) const {
    const auto index = items_->find(id);
    const auto view = store_->view();
    const auto* found = index ? view->find(*index) : nullptr;
    return found == nullptr ? std::vector<std::string>{"no item"} : found->item.categories;
  }
  using Names = std::vector<std::string>;

  std::shared_ptr<const GenresView> genres_;
};

TEST_F(GenresTest, TheCategoriesOfMoviesAreGenres) {
  apply(item("movie:1", "movie", {"Drama", "Crime"}));
  apply(item("movie:2", "movie", {"Crime", "Noir"}));
  apply(item("product:1", "product", {"Gadgets"}));
  EXPECT_EQ(genres_->find("Drama"), GenreId(1));
  EXPECT_EQ(genres_->find("Crime"), GenreId(2));
  EXPECT_EQ(*genres_->name(GenreId(3)), "Noir");
  EXPECT_EQ(genres_->find("Gadgets"), std::nullopt);
  EXPECT_EQ(genres_->all().size(), 3u);
}

TEST_F(GenresTest, NamesAreToldApartWithoutCaseAndAccents) {
  EXPECT_EQ(apply(PutGenre{{}, "Comédie"}), (CommandVerdict{CommandOutcome::kCreated, 1}));
  EXPECT_EQ(apply(PutGenre{{}, "COMEDIE"}).outcome, CommandOutcome::kNameTaken);
  EXPECT_EQ(apply(PutGenre{GenreId(1), "COMEDIE"}).outcome, CommandOutcome::kReplaced);
  EXPECT_EQ(apply(PutGenre{GenreId(9), "Noir"}).outcome, CommandOutcome::kNotFound);
  EXPECT_EQ(genres_->find("Comédie"), std::nullopt);
}

TEST_F(GenresTest, MoviesFollowARenaming) {
  apply(item("movie:1", "movie", {"Drama", "Crime"}));
  apply(item("movie:2", "movie", {"Noir"}));
  apply(item("product:1", "product", {"Drama"}));
  const auto features = store_->view()->features_changed();
  EXPECT_EQ(apply(PutGenre{GenreId(1), "Tragedy"}), (CommandVerdict{CommandOutcome::kReplaced, 1}));
  EXPECT_EQ(categories("movie:1"), (Names{"Tragedy", "Crime"}));
  EXPECT_EQ(categories("movie:2"), (Names{"Noir"}));
  EXPECT_EQ(categories("product:1"), (Names{"Drama"}));
  EXPECT_EQ(genres_->all().size(), 3u) << "no new genre comes of it";
  EXPECT_GT(store_->view()->features_changed(), features) << "profiles are made anew";
}

TEST_F(GenresTest, ADeletedGenreLeavesItsMovies) {
  apply(item("movie:1", "movie", {"Drama", "Crime"}));
  EXPECT_EQ(apply(DeleteGenre{GenreId(1)}).outcome, CommandOutcome::kDeleted);
  EXPECT_EQ(apply(DeleteGenre{GenreId(1)}).outcome, CommandOutcome::kNotFound);
  EXPECT_EQ(categories("movie:1"), (Names{"Crime"}));
  EXPECT_EQ(genres_->find("Drama"), std::nullopt);
  EXPECT_EQ(apply(PutGenre{{}, "Drama"}).number, 3u) << "numbers are never used again";
}

TEST_F(GenresTest, MintedItemsGetTheNextNumberOfTheirKind) {
  apply(item("movie:41", "movie", {}));
  EXPECT_EQ(apply(MintItem{item("", "movie", {"Drama"})}),
            (CommandVerdict{CommandOutcome::kCreated, 42}));
  EXPECT_EQ(categories("movie:42"), (Names{"Drama"}));
  apply(DeleteItem{ItemId("movie:42")});
  EXPECT_EQ(apply(MintItem{item("", "movie", {})}).number, 43u);
  EXPECT_EQ(apply(MintItem{item("", "product", {})}).number, 1u);
}

TEST_F(GenresTest, AreThereAfterAReopenWithTheSameDigest) {
  apply(item("movie:1", "movie", {"Drama", "Crime"}));
  apply(PutGenre{GenreId(2), "Heist"});
  apply(DeleteGenre{GenreId(1)});
  ASSERT_TRUE(store_->commit());
  const auto digest = store_->digest();
  open();
  EXPECT_EQ(store_->digest(), digest);
  EXPECT_EQ(*store_->scan_digest(), digest);
  EXPECT_EQ(genres_->find("Heist"), GenreId(2));
  EXPECT_EQ(genres_->all().size(), 1u);
  EXPECT_EQ(categories("movie:1"), (Names{"Heist"}));
}

}  // namespace
}  // namespace millrace::state
