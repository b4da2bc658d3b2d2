// The built server on a real broker that wants TLS and a password.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/http_client.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_client.h"

namespace millrace {
namespace {

using std::string_literals::operator""s;

class KafkaSecurity : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (KafkaBroker::missing().empty()) broker = std::make_unique<KafkaBroker>(true);
  }
  static void TearDownTestSuite() { broker.reset(); }
  void SetUp() override {
    if (!broker) GTEST_SKIP() << KafkaBroker::missing();
  }
  ServerProcess::Options options(const std::string& password, const std::string& trusted) const {
    ServerProcess::Options options{
        .binary = MILLRACE_BINARY,
        .data = (directory_.path() / "data").string(),
        .args = {"--log", "kafka", "--kafka-bootstrap", broker->secure_bootstrap()},
        .environment = {}};
    for (const auto& property :
         {"security.protocol=SASL_SSL"s, "sasl.mechanisms=PLAIN"s, "sasl.username=millrace"s,
          "sasl.password=" + password, "ssl.ca.location=" + trusted}) {
      options.args.insert(options.args.end(), {"--kafka-property", property});
    }
    return options;
  }
  std::string why_not(const ServerProcess::Options& options) const {
    try {
      const ServerProcess server(options);
      return "it started";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  TempDir directory_;
  static inline std::unique_ptr<KafkaBroker> broker;
};

TEST_F(KafkaSecurity, EventsGoThroughTlsWithAPassword) {
  ServerProcess server(options("right", broker->certificate()));
  HttpClient http(server.port());
  const std::string event = R"({"specversion":"1.0","id":"a","source":"/test","type":"like",)"
                            R"("data":{"user":"ann","item":"video:1"}})";
  const auto posted = http.post("/v1/events?wait=applied", event,
                                {{"Content-Type", "application/cloudevents+json"}});
  EXPECT_EQ(posted.status, 200) << posted.body;
  EXPECT_EQ(Answer(http.get("/v1/users/ann/profile"))["events"].number(), 1);
}

TEST_F(KafkaSecurity, AWrongPasswordAndAnUnknownCertificateAreSaid) {
  const auto password = why_not(options("wrong", broker->certificate()));
  EXPECT_NE(password.find("uthentication fail"), std::string::npos) << password;
  const auto other = make_certificate(directory_.path().string(), "other");
  const auto certificate = why_not(options("right", other.certificate));
  EXPECT_NE(certificate.find("certificate"), std::string::npos) << certificate;
}

}  // namespace
}  // namespace millrace
