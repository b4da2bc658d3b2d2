// The public topic as other clients write it: kcat (librdkafka), Python's confluent-kafka and
// Java's own producer, each in structured and in binary mode, beside HTTP.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/command.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace millrace {
namespace {

const std::string kRoot = MILLRACE_SOURCE_DIR;
constexpr auto kData = R"({"user":"ann","item":"movie:1"})";

std::string structured(const std::string& id) {
  return R"({"specversion":"1.0","type":"like","source":"/clients","id":")" + id + R"(","data":)" +
         kData + "}";
}

using Headers = std::vector<std::pair<std::string, std::string>>;
Headers binary(const std::string& id) {
  return {{"ce_specversion", "1.0"},
          {"ce_type", "view"},
          {"ce_source", "/clients"},
          {"ce_id", id},
          {"content-type", "application/json"}};
}

CommandResult by_kcat(const std::string& topic, const Headers& headers, const std::string& value) {
  std::vector<std::string> args = {"kcat", "-P",  "-b", KafkaBroker::shared().bootstrap(),
                                   "-t",   topic, "-k", "ann"};
  for (const auto& [name, text] : headers) args.insert(args.end(), {"-H", name + "=" + text});
  return run_command(args, {}, value);
}

CommandResult by_python(const std::string& topic, const Headers& headers,
                        const std::string& value) {
  std::string line;
  for (const auto& [name, text] : headers) {
    line += (line.empty() ? "" : ",") + ('"' + name + R"(":")" + text + '"');
  }
  return run_command({"python3", "-B", kRoot + "/tests/e2e/kafka_clients.py",
                      kRoot + "/build/clients", KafkaBroker::shared().bootstrap(), topic},
                     {}, "{" + line + "}\tann\t" + value + "\n");
}

CommandResult by_java(const std::string& topic, const Headers& headers, const std::string& value) {
  std::string line;
  for (const auto& [name, text] : headers) line += (line.empty() ? "" : ",") + (name + ":" + text);
  if (!headers.empty()) line += '\t';
  return run_command(
      {"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", kRoot + "/build/kafka/libs/*",
       "kafka.tools.ConsoleProducer", "--bootstrap-server", KafkaBroker::shared().bootstrap(),
       "--topic", topic, "--sync", "--property", "parse.key=true", "--property",
       std::string("parse.headers=") + (headers.empty() ? "false" : "true")},
      {}, line + "ann\t" + value + "\n");
}

struct Client {
  std::string name;
  CommandResult (*send)(const std::string& topic, const Headers&, const std::string& value);
};

class KafkaClients : public testing::TestWithParam<Client> {};

TEST_P(KafkaClients, EventsArriveInBothModesAndCountOnce) {
  const auto missing = KafkaBroker::missing();
  if (!missing.empty()) GTEST_SKIP() << missing;
  const auto prefix = KafkaBroker::shared().unique_prefix();
  const TempDir directory;
  ServerProcess server(
      {.binary = MILLRACE_BINARY,
       .data = (directory.path() / "data").string(),
       .args = {"--log", "kafka", "--kafka-bootstrap", KafkaBroker::shared().bootstrap(),
                "--kafka-prefix", prefix, "--partitions", "2"},
       .environment = {}});
  HttpClient http(server.port());
  const auto topic = prefix + "events";
  // The copies come first: whoever reads the last one has read them.
  const std::vector<std::pair<Headers, std::string>> sent = {{{}, structured("both")},
                                                             {binary("b"), kData},
                                                             {binary("b"), kData},
                                                             {{}, structured("both")},
                                                             {{}, structured("s")}};
  for (const auto& [headers, value] : sent) {
    const auto done = GetParam().send(topic, headers, value);
    if (done.exit_code == 77) GTEST_SKIP() << done.out;
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  }
  std::string profile;
  ASSERT_TRUE(eventually(
      [&] {
        const auto reply = http.get("/v1/users/ann/profile");
        profile = reply.body;
        return reply.status == 200 && Answer(reply)["events"].number() == 3;
      },
      std::chrono::seconds(60)))
      << profile;
  const auto repeated = http.post("/v1/events?wait=applied", structured("both"),
                                  {{"Content-Type", "application/json"}});
  EXPECT_EQ(Answer(repeated)["duplicates"].number(), 1) << repeated.body;
  EXPECT_EQ(Answer(http.get("/v1/users/ann/profile"))["events"].number(), 3);
}

INSTANTIATE_TEST_SUITE_P(Of, KafkaClients,
                         testing::Values(Client{"kcat", by_kcat}, Client{"python", by_python},
                                         Client{"java", by_java}),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace millrace
