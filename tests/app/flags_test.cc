#include "app/flags.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

namespace millrace::app {
namespace {

// A command line with the flags of `serve`, and a folder that goes when the test ends.
class Flags : public testing::Test {
 protected:
  Flags() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-flags-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Flags() override { std::filesystem::remove_all(folder_); }

  Result<Resolved> load(const std::string& line) {
    CLI::App app;
    const auto flags = add_serve_flags(app);
    app.parse(line);
    return load_config(*flags);
  }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(Flags, LastOfARepeatedFlagHolds) {
  const auto config =
      load("--port 1 --port=2 --data x --interaction a=1 --interaction b=2")->config;
  EXPECT_EQ(config.http.port, 2);
  EXPECT_EQ(config.data, "x");
  EXPECT_EQ(config.rules.interactions.size(), 2U);
}

TEST_F(Flags, FileBesideTheDataIsReadUnlessAnotherIsNamed) {
  write("millrace.toml", "port = 11");
  const auto other = write("other.toml", "port = 12");
  EXPECT_EQ(load("--data " + folder_.string())->config.http.port, 11);
  EXPECT_EQ(load("--data " + folder_.string() + " --config " + other.string())->config.http.port,
            12);
  EXPECT_EQ(load("--data " + folder_.string() + " --port 13")->config.http.port, 13);
}

TEST_F(Flags, NamedFileMustBeThere) {
  const auto missing = load("--config " + (folder_ / "none.toml").string());
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Code::kIo);
}

TEST_F(Flags, UnknownFlagsAreRefused) { EXPECT_THROW(load("--prot 1"), CLI::ParseError); }

TEST_F(Flags, ClientFlagsHaveDefaults) {
  CLI::App app;
  const auto client = add_client_flags(app);
  app.parse("--format json --token t");
  EXPECT_EQ(client->url, "http://127.0.0.1:8080");
  EXPECT_EQ(client->token, "t");
  EXPECT_TRUE(client->json);
}

}  // namespace
}  // namespace millrace::app
