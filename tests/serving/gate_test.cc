#include "serving/http/gate.h"

#include <gtest/gtest.h>

namespace millrace::serving {
namespace {

Request from(const std::string& peer, const std::vector<std::string>& forwarded = {}) {
  Request request;
  request.address = Address::parse(peer).value();
  for (const auto& line : forwarded) request.headers.emplace_back("x-forwarded-for", line);
  return request;
}

AddressRange range(const std::string& text) { return AddressRange::parse(text).value(); }

class GateTest : public ::testing::Test {
 protected:
  Gate gate(GateOptions options) {
    GateLinks links;
    links.blocks = [this] { return std::make_shared<const state::BlocksView>(blocks); };
    links.on_abuse = [this](const Address& address) { abusers.push_back(address.text()); };
    return {std::move(options), std::move(links), clock};
  }
  static std::string client(Gate& gate, Request request) {
    gate.admit(request);
    return request.address.text();
  }

  ManualClock clock{1'790'000'000'000};
  state::BlocksView blocks;
  std::vector<std::string> abusers;
};

TEST_F(GateTest, ForwardedAddressesAreBelievedOfTrustedProxiesOnly) {
  GateOptions options;
  options.trusted_proxies = {range("10.0.0.0/8"), range("::1")};
  Gate gate = this->gate(options);
  EXPECT_EQ(client(gate, from("192.0.2.1", {"1.1.1.1"})), "192.0.2.1");
  EXPECT_EQ(client(gate, from("10.0.0.1", {"1.1.1.1"})), "1.1.1.1");
  EXPECT_EQ(client(gate, from("10.0.0.1", {"1.1.1.1, 2.2.2.2"})), "2.2.2.2")
      << "what stands to the left is the client's invention";
  EXPECT_EQ(client(gate, from("10.0.0.1", {"1.1.1.1, 2.2.2.2 ,10.3.3.3"})), "2.2.2.2");
  EXPECT_EQ(client(gate, from("10.0.0.1", {"1.1.1.1", "2.2.2.2, 10.3.3.3", "10.4.4.4"})), "2.2.2.2")
      << "lines follow each other";
  EXPECT_EQ(client(gate, from("10.0.0.1")), "10.0.0.1");
  EXPECT_EQ(client(gate, from("10.0.0.1", {"10.9.9.9,10.8.8.8"})), "10.9.9.9");
}

TEST_F(GateTest, ForwardedAddressesComeInManyForms) {
  GateOptions options;
  options.trusted_proxies = {range("::1")};
  Gate gate = this->gate(options);
  EXPECT_EQ(client(gate, from("::1", {"1.2.3.4:5678"})), "1.2.3.4");
  EXPECT_EQ(client(gate, from("::1", {"2001:db8::7"})), "2001:db8::7");
  EXPECT_EQ(client(gate, from("::1", {"[2001:db8::7]:443"})), "2001:db8::7");
  EXPECT_EQ(client(gate, from("::1", {"1.1.1.1, unknown"})), "::1") << "as far as it is known";
  EXPECT_EQ(client(gate, from("::1", {""})), "::1");
  EXPECT_EQ(client(gate, from("::1", {",,,"})), "::1");
  EXPECT_EQ(client(gate, from("::1", {"["})), "::1");
}

TEST_F(GateTest, AnIPv6ClientIsItsSixtyFourth) {
  Gate gate = this->gate({.addresses = {.per_minute = 2}});
  auto a = from("2001:db8:0:1::1"), b = from("2001:db8:0:1::2"), c = from("2001:db8:0:1::3");
  auto other = from("2001:db8:0:2::1");
  EXPECT_FALSE(gate.admit(a));
  EXPECT_FALSE(gate.admit(b));
  const auto refused = gate.admit(c);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->headers.back(), (std::pair<std::string, std::string>("Retry-After", "30")));
  EXPECT_FALSE(gate.admit(other));
  EXPECT_EQ(c.limit.limit, 2u);
  EXPECT_EQ(c.limit.left, 0u);
  EXPECT_EQ(c.limit.reset_s, 60u);
  EXPECT_EQ(other.limit.left, 1u);
}

TEST_F(GateTest, ACallerHasALimitOfItsOwnWhereverItCallsFrom) {
  Gate gate = this->gate({.addresses = {.per_minute = 100}, .per_caller = 2});
  const auto call = [&](const char* peer, std::uint64_t account, std::uint64_t token) {
    auto request = from(peer);
    request.caller.account = AccountId(account);
    request.caller.token = TokenId(token);
    EXPECT_FALSE(gate.admit(request));
    const auto refusal = gate.admit_caller(request);
    EXPECT_LE(request.limit.left, 1u) << "the one that ends first is told";
    return refusal ? refusal->status : 200;
  };
  EXPECT_EQ(call("1.1.1.1", 7, 1), 200);
  EXPECT_EQ(call("1.1.1.2", 7, 2), 200);
  EXPECT_EQ(call("1.1.1.3", 7, 3), 429) << "an account's tokens are one caller";
  EXPECT_EQ(call("1.1.1.3", 0, 7), 200) << "a key with the number of an account is another";
  auto nobody = from("1.1.1.1");
  EXPECT_FALSE(gate.admit_caller(nobody));
}

TEST_F(GateTest, WithoutLimitsNothingIsTold) {
  Gate gate = this->gate({});
  for (int i = 0; i < 100; ++i) {
    auto request = from("1.1.1.1");
    EXPECT_FALSE(gate.admit(request));
    EXPECT_FALSE(gate.admit_caller(request));
    EXPECT_EQ(request.limit.limit, 0u);
    gate.failed(request.address);
  }
  EXPECT_TRUE(abusers.empty());
}

TEST_F(GateTest, AbuseIsToldOfTheNetwork) {
  Gate gate = this->gate({.addresses = {.failures = 3}});
  for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) {
    gate.failed(Address::parse(address).value());
  }
  EXPECT_EQ(abusers, std::vector<std::string>{"2001:db8::"});
}

TEST(CorsTest, NamedOriginsMayReadAndOthersAreNotTold) {
  const Cors cors({"https://shop.example"});
  Request request;
  ASSERT_NE(cors.lines(request), nullptr);
  EXPECT_EQ(*cors.lines(request), "Vary: Origin\r\n");
  request.headers = {{"origin", "https://evil.example"}};
  EXPECT_EQ(*cors.lines(request), "Vary: Origin\r\n");
  request.headers = {{"origin", "https://shop.example"}};
  const auto lines = *cors.lines(request);
  EXPECT_NE(lines.find("Access-Control-Allow-Origin: https://shop.example\r\n"), std::string::npos);
  EXPECT_NE(lines.find("X-Millrace-Position"), std::string::npos);
  EXPECT_EQ(Cors({}).lines(request), nullptr);
}

TEST(CorsTest, APreflightIsAnsweredToNamedOriginsOnly) {
  const Cors cors({"https://shop.example"});
  const auto headers = [&](const char* origin, bool preflight) {
    Request request;
    request.headers = {{"origin", origin}};
    if (preflight) request.headers.emplace_back("access-control-request-method", "PUT");
    Reply reply;
    cors.answer_preflight(request, "GET, PUT", reply);
    return reply.headers;
  };
  const auto allowed = headers("https://shop.example", true);
  ASSERT_EQ(allowed.size(), 3u);
  EXPECT_EQ(allowed[0].second, "GET, PUT");
  EXPECT_NE(allowed[1].second.find("Authorization"), std::string::npos);
  EXPECT_TRUE(headers("https://shop.example", false).empty());
  EXPECT_TRUE(headers("https://evil.example", true).empty());
}

TEST_F(GateTest, RoutesHaveAllowancesOfKeysElseOfAddresses) {
  GateOptions options;
  options.allowances = {.api_per_minute = 2, .trainings_per_hour = 1};
  GateLinks links;
  links.caller = [](const Request& request) {
    Caller caller;
    if (request.header("authorization")) caller.token = TokenId(7);
    return caller;
  };
  Gate gate(options, links, clock);
  auto anybody = from("192.0.2.1"), somebody = anybody, other = from("192.0.2.2");
  somebody.headers.emplace_back("authorization", "known");
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(gate.admit_route(anybody, Allowance::kApi));
    EXPECT_FALSE(gate.admit_route(somebody, Allowance::kApi)) << "a key counts for itself";
  }
  EXPECT_FALSE(gate.admit_route(other, Allowance::kApi));
  const auto refused = gate.admit_route(anybody, Allowance::kApi);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(anybody.limit.limit, 2u);
  EXPECT_EQ(anybody.limit.left, 0u);
  EXPECT_TRUE(gate.admit_route(somebody, Allowance::kApi));
  EXPECT_FALSE(gate.admit_route(anybody, Allowance::kNone));
  EXPECT_FALSE(gate.admit_route(anybody, Allowance::kBulk)) << "0 is no limit";
  EXPECT_FALSE(gate.admit_route(anybody, Allowance::kTraining));
  EXPECT_TRUE(gate.admit_route(anybody, Allowance::kTraining));
  clock.advance(59LL * 60'000);
  EXPECT_TRUE(gate.admit_route(anybody, Allowance::kTraining));
  EXPECT_FALSE(gate.admit_route(anybody, Allowance::kApi));
  clock.advance(60'000);
  EXPECT_FALSE(gate.admit_route(anybody, Allowance::kTraining));
}

}  // namespace
}  // namespace millrace::serving
