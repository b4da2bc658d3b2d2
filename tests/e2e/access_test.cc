// Who is kept out of the built server, and that the others do not notice.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_client.h"

namespace millrace {
namespace {

using std::chrono::steady_clock;

constexpr const char* kToken = "a token for these tests";
const HttpClient::Headers kJson{{"Content-Type", "application/json"}};
const HttpClient::Headers kAdmin{{"Authorization", std::string("Bearer ") + kToken},
                                 {"Content-Type", "application/json"}};

// The n-th of many addresses of this machine.
std::string loopback(int n) {
  return "127.0." + std::to_string(1 + n / 250) + "." + std::to_string(1 + n % 250);
}

class AccessToServer : public testing::Test {
 protected:
  void start(std::vector<std::string> args = {}) {
    server_.reset();
    args.insert(args.end(), {"--admin-token", kToken, "--durability", "os"});
    server_ = std::make_unique<ServerProcess>(
        ServerProcess::Options{.binary = MILLRACE_BINARY,
                               .data = (directory_.path() / "data").string(),
                               .args = args,
                               .environment = {}});
  }
  HttpClient from(const std::string& address) {
    return HttpClient(server_->port(), std::chrono::seconds(60), address);
  }
  CommandResult admin(std::vector<std::string> args) const {
    args.insert(args.begin(), {MILLRACE_BINARY, "admin"});
    args.insert(args.end(), {"--token", kToken, "--url",
                             "http://127.0.0.1:" + std::to_string(server_->port())});
    return run_command(args, {});
  }

  TempDir directory_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(AccessToServer, AnAdminBlocksListsAndUnblocksFromTheCommandLine) {
  start();
  auto blocked = admin({"block", "127.0.0.0/8", "--reason", "all of us", "--for", "1h"});
  ASSERT_EQ(blocked.exit_code, 0) << blocked.err;
  EXPECT_EQ(HttpClient(server_->port()).get("/v1/items").status, 403);
  EXPECT_EQ(HttpClient(server_->port()).get("/health").status, 200);
  start();
  EXPECT_EQ(HttpClient(server_->port()).get("/v1/items").status, 403) << "over a restart";
  const auto list = admin({"blocked"});
  EXPECT_NE(list.out.find("127.0.0.0/8"), std::string::npos) << list.out << list.err;
  EXPECT_NE(list.out.find("all of us"), std::string::npos);
  EXPECT_EQ(admin({"unblock", "127.0.0.1"}).exit_code, 1) << "that alone is not blocked";
  EXPECT_EQ(admin({"unblock", "127.0.0.0/8"}).exit_code, 0) << "though it comes from there itself";
  EXPECT_EQ(HttpClient(server_->port()).get("/v1/items").status, 200);
  EXPECT_EQ(admin({"block", "nonsense"}).exit_code, 1);
  EXPECT_EQ(admin({"block"}).exit_code, 2);
  const Answer trail(HttpClient(server_->port()).get("/v1/admin/audit?action=address", kAdmin));
  EXPECT_EQ(trail["changes"].elements().size(), 3u);
}

TEST_F(AccessToServer, TheLimitIsOfEachAddressAndOnByDefault) {
  start({"--access-per-address", "6000"});
  auto client = from("127.0.0.2");
  const auto first = client.get("/v1/items");
  EXPECT_EQ(first.header("ratelimit-limit"), "6000");
  EXPECT_EQ(first.header("ratelimit-remaining"), "5999");
  int refused = 0;
  for (int i = 0; i < 12'000 && refused < 10; ++i) {
    refused += client.get("/v1/items").status == 429 ? 1 : 0;
  }
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(from("127.0.0.3").get("/v1/items").status, 200);
  const CommandResult config = run_command({MILLRACE_BINARY, "serve", "--print-config"}, {});
  EXPECT_NE(config.out.find("per_address = 6000\n"), std::string::npos);
  EXPECT_NE(config.out.find("sign_ups = 600\n"), std::string::npos);
}

TEST_F(AccessToServer, AnAddressThatProbesIsBlockedAndTheAuditTellsSo) {
  start({"--audit-interval", "1ms", "--access-block-time", "1h"});
  auto prober = from("127.0.0.7");
  for (int i = 0; i < 100; ++i) prober.get("/.env" + std::to_string(i));
  EXPECT_TRUE(eventually([&] { return prober.get("/v1/items").status == 403; }));
  auto admin = from("127.0.0.1");
  EXPECT_EQ(admin.get("/v1/items").status, 200);
  EXPECT_TRUE(eventually(  // the audit looks every ten seconds whether it is due
      [&] {
        const Answer page(admin.get("/v1/admin/audit/reports", kAdmin));
        const auto reports = page["reports"].elements();
        return std::any_of(reports.begin(), reports.end(), [](const Answer& report) {
          return report["report"]["blocked_automatically"].number() == 1;
        });
      },
      std::chrono::seconds(60)));
}

TEST_F(AccessToServer, TlsIsServedAndItsCertificateReplacedOnSighup) {
  const auto first = make_certificate(directory_.path(), "first.example");
  start({"--tls-cert", first.certificate, "--tls-key", first.key});
  TlsClient client(server_->port());
  client.send("GET /health/ HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n"), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(client.server_name(), "first.example");
  const auto second = make_certificate(directory_.path(), "second.example");
  std::filesystem::rename(second.key, first.key);
  std::filesystem::rename(second.certificate, first.certificate);
  ::kill(server_->pid(), SIGHUP);
  EXPECT_TRUE(
      eventually([&] { return TlsClient(server_->port()).server_name() == "second.example"; }));
  EXPECT_EQ(server_->terminate(), 0);
}

// ---- brute force

// The p99 of reads by others while `attack` runs, in ms; without one, of some seconds.
class Readers {
 public:
  explicit Readers(std::uint16_t port) {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this, port, i] { read(port, i); });
  }
  double stop() {
    ended_ = true;
    threads_.clear();
    std::vector<double> all;
    for (const auto& part : ms_) all.insert(all.end(), part.begin(), part.end());
    EXPECT_GT(all.size(), 100u);
    std::sort(all.begin(), all.end());
    return all.empty() ? 1e9 : all[all.size() * 99 / 100];
  }

 private:
  void read(std::uint16_t port, int i) {
    HttpClient client(port, std::chrono::seconds(60), "127.9.0." + std::to_string(1 + i));
    while (!ended_) {
      const auto begin = steady_clock::now();
      EXPECT_EQ(client.get("/v1/lists/popular").status, 200);
      const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
      ms_[static_cast<std::size_t>(i)].push_back(took.count());
    }
  }
  std::atomic<bool> ended_{false};
  std::array<std::vector<double>, 2> ms_;
  std::vector<std::jthread> threads_;
};

struct Attack {
  int tries = 0;
  int addresses = 1;
  bool one_name = false;  // all against the same account
};

class BruteForce : public AccessToServer {
 protected:
  // With so many tries a minute and address; an account has 10.
  void begin(int per_address) {
    start({"--accounts-logins-per-address", std::to_string(per_address)});
    HttpClient client(server_->port());
    for (int i = 0; i < 50; ++i) {
      client.put("/v1/items/video:" + std::to_string(i), R"({"title":"A video"})", kAdmin);
    }
    EXPECT_EQ(
        client
            .post("/api/users/",
                  R"({"username":"ann","email":"ann@b.org","password":"a long sentence"})", kJson)
            .status,
        201);
    usual_ = quiet_p99();
  }
  double quiet_p99() {
    Readers readers(server_->port());
    const auto until = steady_clock::now() + std::chrono::seconds(2);
    EXPECT_TRUE(eventually([&] { return steady_clock::now() > until; }));
    return readers.stop();
  }

  // Every try that reached a password; the others were refused before.
  int run(const Attack& attack, double& seconds) {
    std::atomic<int> next{0}, reached{0};
    const auto begin = steady_clock::now();
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        const int addresses = attack.addresses;
        std::vector<std::unique_ptr<HttpClient>> clients(static_cast<std::size_t>(addresses));
        for (int i = next++; i < attack.tries; i = next++) {
          auto& client = clients[static_cast<std::size_t>(i % addresses)];
          if (!client) {
            client = std::make_unique<HttpClient>(server_->port(), std::chrono::seconds(60),
                                                  loopback(i % addresses));
          }
          const auto name = attack.one_name ? "ann" : "nobody" + std::to_string(i);
          const auto status =
              client
                  ->post("/api/token/", R"({"username":")" + name + R"(","password":"guess"})",
                         kJson)
                  .status;
          if (status == 401) ++reached;
          EXPECT_TRUE(status == 401 || status == 429 || status == 403) << status;
        }
      });
    }
    threads.clear();
    seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
    return reached;
  }

  void check(const char* what, const Attack& attack, double burst, double per_second) {
    Readers readers(server_->port());
    double seconds = 0;
    const int reached = run(attack, seconds);
    const double p99 = readers.stop();
    std::cout << what << ": " << attack.tries << " tries in " << seconds << " s, " << reached
              << " reached a password; reads' p99 " << p99 << " ms, before " << usual_ << " ms\n";
    EXPECT_LE(reached, burst + per_second * seconds + 1);
    EXPECT_GE(reached, 1);
    EXPECT_LE(p99, 10 * usual_ + 50) << "a machine may be busy, but not that busy";
  }
  double usual_ = 0;
};

TEST_F(BruteForce, IsHeldToTheRateAndOthersReadOn) {
  begin(6);
  check("one address", {.tries = 1'000}, 6, 0.1);
  check("50 addresses, one account", {.tries = 1'000, .addresses = 50, .one_name = true}, 10,
        1 / 6.0);
}

TEST_F(BruteForce, OfTenThousandTriesLong) {
  begin(60);
  check("one address", {.tries = 10'000}, 60, 1);
  check("200 addresses, one account", {.tries = 10'000, .addresses = 200, .one_name = true}, 10,
        1 / 6.0);
  // Sprayed over accounts as well, tries are held by how many passwords are hashed at once.
  check("200 addresses, many accounts", {.tries = 500, .addresses = 200}, 500, 0);
}

}  // namespace
}  // namespace millrace
