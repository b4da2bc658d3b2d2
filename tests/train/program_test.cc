// The built millrace-train as a process.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/metrics.h"
#include "processors/training/child_process.h"
#include "processors/training/sequence_model.h"
#include "processors/training/train_program.h"
#include "tests/support/command.h"
#include "tests/support/temp_dir.h"
#include "train/sequences.h"

namespace millrace::train {
namespace {

namespace fs = std::filesystem;

// GroupLens' layout: forty people who go through thirty films in a circle.
void write_movielens(const fs::path& folder) {
  fs::create_directories(folder);
  std::ofstream movies(folder / "movies.csv"), ratings(folder / "ratings.csv");
  movies << "movieId,title,genres\n";
  for (int i = 1; i <= 30; ++i) movies << i << ",Film " << i << " (1990),Drama|War\n";
  ratings << "userId,movieId,rating,timestamp\n";
  for (int u = 1; u <= 40; ++u) {
    for (int k = 0; k < 8; ++k) {
      ratings << u << ',' << (u * 7 + k) % 30 + 1 << ',' << (k == 3 ? "2.0" : "4.5") << ','
              << 1'000'000 + u * 100 + k << '\n';
    }
  }
}

class TrainProgram : public testing::Test {
 protected:
  TrainProgram() { write_movielens(films()); }
  fs::path films() const { return folder_.path() / "films"; }
  std::string path(const char* name) const { return folder_.path() / name; }
  std::vector<std::string> words(const std::string& out) const {
    return {MILLRACE_TRAIN_BINARY,
            "--movielens",
            films(),
            "--out",
            out,
            "--epochs",
            "12",
            "--patience",
            "12",
            "--threads",
            "1",
            "--embedding-dim",
            "16",
            "--format",
            "json"};
  }
  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const TempDir folder_;
};

constexpr int kLineMs = 60'000;

// All lines to the end.
std::vector<std::string> run(const std::vector<std::string>& words, int& code) {
  auto program = processors::ChildProcess::start(words);
  std::vector<std::string> lines;
  if (!program) return lines;
  while (!program->over()) {
    if (auto line = program->line(kLineMs)) lines.push_back(*std::move(line));
  }
  code = program->wait(kLineMs);
  return lines;
}

TEST_F(TrainProgram, KilledAndCalledAgainItEndsAsIfNothingHadBeen) {
  int code = -1;
  const auto lines = run(words(path("whole")), code);
  ASSERT_EQ(code, 0);
  ASSERT_EQ(lines.size(), 13u) << "a line an epoch, and the end";
  EXPECT_NE(lines.back().find("\"done\":true"), std::string::npos);
  {
    auto program = processors::ChildProcess::start(words(path("killed")));
    ASSERT_TRUE(program);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(program->line(kLineMs));
  }  // kill -9
  EXPECT_FALSE(fs::exists(path("killed")));
  EXPECT_LT(run(words(path("killed")), code).size(), 12u) << "went on";
  EXPECT_EQ(code, 0);
  EXPECT_EQ(bytes_of(path("killed")), bytes_of(path("whole")));
}

TEST_F(TrainProgram, EndsWhenAskedTo) {
  auto many = words(path("out"));
  many[6] = "10000";
  many[8] = "10000";
  auto program = processors::ChildProcess::start(many);
  ASSERT_TRUE(program);
  ASSERT_TRUE(program->line(kLineMs));
  program->terminate();
  while (!program->over()) program->line(kLineMs);
  EXPECT_EQ(program->wait(kLineMs), 1);
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_TRUE(fs::exists(path("out.training")));
}

TEST_F(TrainProgram, ListsWhatPeopleHaveNotDealtWith) {
  int code = -1;
  auto with_lists = words(path("out"));
  with_lists.insert(with_lists.end(), {"--lists", path("lists"), "--list-length", "25"});
  run(with_lists, code);
  ASSERT_EQ(code, 0);
  std::ifstream in(path("lists"));
  std::string line;
  int lines = 0;
  while (std::getline(in, line)) {
    ++lines;
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 30 - 8 - 1) << line;
    const int user = std::stoi(line);
    const std::string list = "," + line.substr(line.find('\t') + 1) + ",";
    for (int k = 0; k < 8; ++k) {
      const auto film = "," + std::to_string((user * 7 + k) % 30 + 1) + ",";
      EXPECT_EQ(list.find(film), std::string::npos) << film << " of " << line;
    }
  }
  EXPECT_EQ(lines, 40);
}

TEST_F(TrainProgram, SaysWhatIsWrong) {
  int code = 0;
  auto wrong = words(path("out"));
  wrong[12] = "17";
  auto lines = run(wrong, code);
  EXPECT_EQ(code, 2);
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("embedding_dim: must be a multiple of 4"), std::string::npos);
  lines = run({MILLRACE_TRAIN_BINARY, "--checkpoint", path("nothing"), "--out", path("out"),
               "--format", "json"},
              code);
  EXPECT_EQ(code, 1);
  EXPECT_NE(lines.back().find("holds no databases"), std::string::npos);
  EXPECT_FALSE(processors::ChildProcess::start({path("no-program")}));
}

// What people did, read from the films' files and from the state that importing them made.
TEST_F(TrainProgram, AStateSaysWhatTheFilesSay) {
  const auto data = path("data");
  const auto imported =
      run_command({MILLRACE_BINARY, "import", "movielens", films(), "--data", data});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  const auto files = sequences_of_movielens(films());
  const auto state = sequences_of_state(data + "/state");
  ASSERT_TRUE(files) << files.error().detail;
  ASSERT_TRUE(state) << state.error().detail;
  EXPECT_FALSE(state->position.empty());
  EXPECT_EQ(state->genre_count, 2u);
  ASSERT_EQ(state->people.size(), files->people.size());
  const auto liked = [](const Sequences& data_of) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& person : data_of.people) {
      for (const auto row : person.liked) out[person.name].push_back(data_of.items[row]);
    }
    return out;
  };
  EXPECT_EQ(liked(*state), liked(*files));
  EXPECT_EQ(liked(*files).at("1").size(), 7u);
}

}  // namespace
}  // namespace millrace::train
