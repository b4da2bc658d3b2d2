#include "app/seed.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "app/random.h"
#include "base/crypto.h"
#include "ingest/importers/movielens_films.h"
#include "schemas/json_value.h"
#include "schemas/json_writer.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr double kRatedShare = 0.7;  // of what is watched
constexpr double kTaste = 0.8;       // exponent of Zipf: how much users agree

std::string text_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  return found == nullptr ? std::string() : found->text;
}

// Our own list as a file, as long as this lives.
class OwnMovies {
 public:
  OwnMovies() {
    std::string name = (fs::temp_directory_path() / "millrace-movies-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) return;
    ::close(file);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << seed_movies_csv();
  }
  ~OwnMovies() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  OwnMovies(const OwnMovies&) = delete;
  OwnMovies& operator=(const OwnMovies&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

ingest::GrouplensFilms films_at(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path, {}, {}};
  const auto in = [&](const char* name) {
    const auto file = fs::path(path) / name;
    return fs::is_regular_file(file, error) ? file.string() : std::string();
  };
  return {(fs::path(path) / "movies.csv").string(), in("tags.csv"), in("links.csv")};
}

Result<std::vector<std::string>> ids_of(const ingest::ImportPart& movies) {
  MILLRACE_TRY(const auto reader, movies.open());
  std::vector<std::string> ids;
  while (const auto row = reader->next()) {
    if (!row->json) continue;
    MILLRACE_TRY(const auto json, parse_json(*row->json));
    ids.push_back(text_in(json, "id"));
  }
  if (ids.empty()) return fail(Code::kInvalid, "there is no movie in it", "from");
  return ids;
}

// Rows that are in memory already.
class Rows final : public ingest::ImportReader {
 public:
  explicit Rows(std::vector<std::string> rows) : rows_(std::move(rows)) {}
  std::optional<ingest::ImportRow> next() override {
    if (at_ == rows_.size()) return std::nullopt;
    ++at_;
    return ingest::ImportRow{"seed", at_, rows_[at_ - 1]};
  }
  double progress() const override {
    return static_cast<double>(at_) / static_cast<double>(rows_.size());
  }

 private:
  std::vector<std::string> rows_;
  std::size_t at_ = 0;
};

// What a user rated and watched, one event a line.
std::vector<std::string> deeds_of(const std::string& username, const std::string& id,
                                  std::uint32_t number, const std::vector<std::string>& movies,
                                  const SeedOptions& options) {
  constexpr std::array<int, 10> kStars = {1, 2, 3, 3, 3, 4, 4, 4, 5, 5};
  Random random(options.random_seed * 1'000 + number);
  const Zipf zipf(movies.size(), kTaste);
  std::vector<std::string> lines;
  for (std::uint32_t deed = 0; deed < options.deeds; ++deed) {
    const auto& movie = movies[zipf.draw(random)];
    const bool rates = random.chance(kRatedShare);
    std::string line;
    JsonWriter out(line);
    out.begin_object();
    out.member("source", "seed");
    out.member("id", username + ":" + std::to_string(deed));
    out.member("type", rates ? "rate" : "watch");
    out.key("data");
    out.begin_object();
    out.member("user", id);
    out.member("item", movie);
    if (rates) out.member("value", kStars.at(random.below(kStars.size())));
    out.end_object();
    out.end_object();
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<HttpReply> post_json(Target& target, const std::string& path,
                            const std::vector<std::pair<const char*, std::string>>& members) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  for (const auto& [name, value] : members) out.member(name, value);
  out.end_object();
  return target.post(path, "application/json", std::move(body));
}

// The id of an account that is there already: admins see it.
Result<std::string> id_of(Target& target, const std::string& username) {
  for (int page = 1;; ++page) {
    MILLRACE_TRY(const auto reply,
                 target.get("/api/users/?page_size=100&page=" + std::to_string(page)));
    if (reply.status != 200) {
      return fail(Code::kConflict, username + " is there already: give an admin's --token");
    }
    MILLRACE_TRY(const auto json, parse_json(reply.body));
    const Json* results = json.find("results");
    for (const auto& account : results == nullptr ? std::vector<Json>() : results->elements) {
      if (text_in(account, "username") == username) return text_in(account, "id");
    }
  }
}

// Sends requests with the credential of one user.
class AsUser final : public Target {
 public:
  AsUser(Target& target, std::string token) : target_(target), token_(std::move(token)) {}
  Result<HttpReply> send(const HttpRequest& request) override {
    HttpRequest own = request;
    if (!token_.empty()) own.headers.emplace_back("Authorization", "Bearer " + token_);
    return target_.send(own);
  }
  std::string name() const override { return target_.name(); }

 private:
  Target& target_;
  const std::string token_;
};

// Signs a user up, and answers with their id, and with a token where one is needed.
struct Entered {
  std::string id;
  std::string token;
  SeededUser user;
};
Result<Entered> enter(Target& target, const std::string& username, const SeedOptions& options) {
  Entered entered{
      {}, {}, {username, options.password.empty() ? random_secret() : options.password}};
  MILLRACE_TRY(const auto made, post_json(target, "/api/users/",
                                          {{"username", username},
                                           {"email", username + "@example.org"},
                                           {"password", entered.user.password}}));
  if (made.status == 409) {
    MILLRACE_TRY(entered.id, id_of(target, username));
    entered.user.password.clear();
    return entered;
  }
  if (made.status != 201) return tl::unexpected<Error>(error_of(made));
  MILLRACE_TRY(const auto account, parse_json(made.body));
  entered.id = text_in(account, "id");
  if (options.as_admin) return entered;
  MILLRACE_TRY(const auto in,
               post_json(target, "/api/token/",
                         {{"username", username}, {"password", entered.user.password}}));
  if (in.status != 200) return tl::unexpected<Error>(error_of(in));
  MILLRACE_TRY(const auto token, parse_json(in.body));
  entered.token = text_in(token, "token");
  return entered;
}

void add(ImportTotals& sum, const ImportTotals& more) {
  sum.items_created += more.items_created;
  sum.items_replaced += more.items_replaced;
  sum.events_accepted += more.events_accepted;
  sum.duplicates += more.duplicates;
  sum.rejected += more.rejected;
}

}  // namespace

Result<Seeded> seed_movies(Target& target, const SeedOptions& options,
                           const ImportOptions& import) {
  std::optional<OwnMovies> own;
  if (options.from.empty()) own.emplace();
  const auto films = films_at(own ? own->path() : options.from);
  const ingest::ImportPart movies{"movies", ingest::ImportKind::kItems, {films.movies}, [films] {
                                    return ingest::read_grouplens_films(films);
                                  }};
  MILLRACE_TRY(const auto ids, ids_of(movies));
  Seeded seeded;
  MILLRACE_TRY(const auto items, run_import(target, {movies}, import));
  seeded.totals = items.totals;
  for (std::uint32_t number = 1; number <= options.users; ++number) {
    const auto username = "viewer" + std::to_string(number);
    MILLRACE_TRY(auto entered, enter(target, username, options));
    const auto lines = deeds_of(username, entered.id, number, ids, options);
    const ingest::ImportPart deeds{
        username, ingest::ImportKind::kEvents, {}, [lines] {
          return Result<std::unique_ptr<ingest::ImportReader>>(std::make_unique<Rows>(lines));
        }};
    AsUser as(target, entered.token);
    MILLRACE_TRY(const auto events, run_import(as, {deeds}, import));
    add(seeded.totals, events.totals);
    seeded.users.push_back(std::move(entered.user));
  }
  return seeded;
}

}  // namespace millrace::app
