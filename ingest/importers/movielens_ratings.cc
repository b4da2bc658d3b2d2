#include "ingest/importers/movielens_ratings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <unordered_map>

#include "ingest/importers/movielens_table.h"
#include "schemas/event_json.h"
#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"

namespace millrace::ingest {
namespace {

// The ids that a file repeats, each kept once.
class Names {
 public:
  std::uint32_t number_of(std::string name) {
    const auto [at, made] =
        numbers_.try_emplace(std::move(name), static_cast<std::uint32_t>(names_.size()));
    if (made) names_.push_back(&at->first);
    return at->second;
  }
  const std::string& name(std::uint32_t number) const { return *names_[number]; }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> names_;
};

struct Rating {
  std::uint32_t seconds = 0;  // MovieLens began in 1995; good until 2106
  std::uint32_t line = 0;
  std::uint32_t user = 0;
  std::uint32_t film = 0;
  std::int32_t centi = 0;
};

Result<std::uint32_t> seconds_since_1970(const std::string& text) {
  double seconds = -1;  // RecBole calls it a float
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0) ||
      seconds > 4294967295.0 || seconds != std::floor(seconds)) {
    return fail(Code::kInvalid, "must be whole seconds since 1970", "timestamp");
  }
  return static_cast<std::uint32_t>(seconds);
}

class RatingsReader final : public ImportReader {
 public:
  explicit RatingsReader(MovielensTable table) {
    file_ = table.name();
    while (auto row = table.next()) {
      if (!row->cells.has_value()) {
        refused_.push_back(table.refused(*row));
        continue;
      }
      const auto kept = keep(row->line, *row->cells);
      if (!kept.has_value()) {
        refused_.push_back({file_, row->line, tl::unexpected<Error>(kept.error())});
      }
    }
    std::sort(ratings_.begin(), ratings_.end(), [](const Rating& a, const Rating& b) {
      return a.seconds != b.seconds ? a.seconds < b.seconds : a.line < b.line;
    });
    interaction_.event.source = "import:movielens";
  }

  std::optional<ImportRow> next() override {
    if (!refused_.empty()) {
      ImportRow row = std::move(refused_.front());
      refused_.pop_front();
      return row;
    }
    if (at_ == ratings_.size()) return std::nullopt;
    const Rating& rating = ratings_[at_++];
    return ImportRow{file_, rating.line, json_of(rating)};
  }

  double progress() const override {
    return ratings_.empty() ? 1.0 : static_cast<double>(at_) / static_cast<double>(ratings_.size());
  }

 private:
  Status keep(std::uint64_t line, std::vector<std::string>& cells) {
    MILLRACE_CHECK(check_id(cells[0], "user"));
    if (cells[1].empty()) return fail(Code::kInvalid, "must not be empty", "item");
    MILLRACE_CHECK(check_id("movie:" + cells[1], "item"));
    Rating rating;
    MILLRACE_TRY(rating.centi, centi_of({JsonKind::kString, cells[2]}, "rating"));
    MILLRACE_TRY(rating.seconds, seconds_since_1970(cells[3]));
    rating.line = static_cast<std::uint32_t>(line);
    rating.user = users_.number_of(std::move(cells[0]));
    rating.film = films_.number_of(std::move(cells[1]));
    ratings_.push_back(rating);
    return {};
  }

  std::string json_of(const Rating& rating) {
    const std::string& user = users_.name(rating.user);
    const std::string& film = films_.name(rating.film);
    Event& event = interaction_.event;
    event.id = user + ":" + film + ":" + std::to_string(rating.seconds);
    event.user.value = user;
    event.item.value = "movie:" + film;
    event.time = UnixMillis{rating.seconds} * 1000;
    event.value_centi = rating.centi;
    std::string json;
    json.reserve(256);
    JsonWriter out(json);
    append_event_json(out, interaction_, "rate");
    return json;
  }

  std::string file_;
  std::deque<ImportRow> refused_;
  Names users_;
  Names films_;
  std::vector<Rating> ratings_;
  std::size_t at_ = 0;
  Interaction interaction_;  // what all have in common, and the last one's rest
};

}  // namespace

Result<std::unique_ptr<ImportReader>> read_grouplens_ratings(const std::string& file) {
  MILLRACE_TRY(auto table,
               MovielensTable::open(file, {}, {"userId", "movieId", "rating", "timestamp"}));
  return std::make_unique<RatingsReader>(std::move(table));
}

Result<std::unique_ptr<ImportReader>> read_recbole_ratings(const std::string& file) {
  CsvOptions options;
  options.delimiter = '\t';
  options.quotes = false;
  MILLRACE_TRY(auto table,
               MovielensTable::open(file, options, {"user_id", "item_id", "rating", "timestamp"}));
  return std::make_unique<RatingsReader>(std::move(table));
}

}  // namespace millrace::ingest
