// The store API of the built server: the seed's examples as they are written, and its addresses.
#include <gtest/gtest.h>

#include <memory>
#include <regex>
#include <string>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

constexpr const char* kToken = "a-token-for-these-tests";
const HttpClient::Headers kAdmin{{"Authorization", std::string("Bearer ") + kToken},
                                 {"Content-Type", "application/json"}};

class StoreServer : public testing::Test {
 protected:
  void start(std::vector<std::string> args = {}) {
    args.insert(args.end(), {"--admin-token", kToken, "--durability", "os"});
    server_ = std::make_unique<ServerProcess>(
        ServerProcess::Options{.binary = MILLRACE_BINARY,
                               .data = (directory_.path() / "data").string(),
                               .args = args,
                               .environment = {}});
  }
  // The port behind the server's main one.
  std::uint16_t further_port() const {
    std::smatch found;
    const auto errors = server_->errors();
    const bool there =
        std::regex_search(errors, found, std::regex("also listening on 127\\.0\\.0\\.1:(\\d+)"));
    EXPECT_TRUE(there) << errors;
    return there ? static_cast<std::uint16_t>(std::stoi(found[1])) : std::uint16_t{0};
  }
  // A shell's answer to the example, whose port 8000 is the server's.
  std::string shell(std::string example, const std::string& token) const {
    const std::string mark = "<your_token_here>";
    example.replace(example.find(mark), mark.size(), token);
    const auto to = "localhost:8000:127.0.0.1:" + std::to_string(server_->port());
    const auto done = run_command(
        {"bash", "-c", "curl() { command curl -sS --connect-to " + to + " \"$@\"; }\n" + example});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out;
  }

  TempDir directory_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(StoreServer, TheSeedsExamplesRunAsTheyAreWritten) {
  if (!program_exists("curl")) GTEST_SKIP() << "there is no curl";
  start();
  HttpClient client(server_->port());
  const auto user = client.post(
      "/api/users/", R"({"username":"owner","email":"o@example.org","password":"a long sentence"})",
      {{"Content-Type", "application/json"}});
  ASSERT_EQ(user.status, 201) << user.body;
  const auto token =
      Answer(client.post("/api/token/", R"({"username":"owner","password":"a long sentence"})",
                         {{"Content-Type", "application/json"}}))["token"]
          .text();
  constexpr const char* kFetchingStores =
      R"(curl -H "Authorization: Token <your_token_here>" -X GET http://localhost:8000/api/v1/store/)";
  constexpr const char* kCreatingAProduct =
      R"(curl -H "Authorization: Token <your_token_here>" -X POST http://localhost:8000/api/v1/store/products/ \
-H "Content-Type: application/json" \
-d '{"name": "New Product", "description": "Product Description", "price": "10.00", "quantity": 100, "category": "Category Name", "store_id": 1}')";
  EXPECT_EQ(shell(kFetchingStores, token), "[]");
  const auto made =
      client.post("/api/v1/store/", R"({"name":"New Store Name"})",
                  {{"Authorization", "Token " + token}, {"Content-Type", "application/json"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(shell(kFetchingStores, token), R"([{"id":1,"name":"New Store Name","owner":"owner"}])");
  EXPECT_EQ(shell(kCreatingAProduct, token),
            R"({"id":1,"name":"New Product","description":"Product Description","price":"10.00",)"
            R"("quantity":100,"category":"Category Name","store":1,"views_count":0,)"
            R"("converted_price":"10.00"})");
}

TEST_F(StoreServer, EachAddressServesItsSurfaces) {
  start({"--listen", "127.0.0.1:0=store,accounts", "--currency", "EUR=0.92"});
  HttpClient main(server_->port()), store(further_port());
  EXPECT_EQ(main.get("/v1/items", kAdmin).status, 200);
  EXPECT_EQ(main.get("/api/v1/store/", kAdmin).status, 200);
  EXPECT_EQ(store.get("/api/v1/store/", kAdmin).status, 200);
  EXPECT_EQ(store.get("/api/v1/store/").status, 401) << "authentication is the same";
  EXPECT_EQ(store.get("/health").status, 200);
  EXPECT_EQ(store.get("/v1/items", kAdmin).status, 404);
  const auto rates = main.get("/v1/admin/currencies", kAdmin).body;
  EXPECT_EQ(rates, R"({"currencies":[{"code":"EUR","rate":"0.92","digits":2}]})");
  EXPECT_EQ(server_->terminate(), 0);
  start({"--currency", "EUR=0.93"});
  HttpClient again(server_->port());
  EXPECT_NE(again.get("/v1/admin/currencies", kAdmin).body.find("0.93"), std::string::npos);
}

TEST_F(StoreServer, NoAddressOfTheOutsideOpensWithoutAuthentication) {
  const auto refused =
      run_command({MILLRACE_BINARY, "serve", "--data", (directory_.path() / "data").string(),
                   "--port", "0", "--listen", "0.0.0.0:0=store"});
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_NE(refused.err.find("refusing to listen on 0.0.0.0 without authentication"),
            std::string::npos)
      << refused.err;
  const auto unknown = run_command({MILLRACE_BINARY, "serve", "--listen", "127.0.0.1:0=stores"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("there is no stores"), std::string::npos) << unknown.err;
}

}  // namespace
}  // namespace millrace
