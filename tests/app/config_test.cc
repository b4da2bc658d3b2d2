#include "app/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "app/options.h"
#include "app/units.h"

namespace millrace::app {
namespace {

Sources from_file(std::string toml) { return {{}, {}, std::move(toml), "millrace.toml"}; }
Sources from_environment(Settings variables) { return {{}, std::move(variables), {}, {}}; }
Sources from_flags(Settings flags) { return {std::move(flags), {}, {}, {}}; }

TEST(Config, NothingNeedsToBeConfigured) {
  const auto resolved = resolve({});
  ASSERT_TRUE(resolved.has_value());
  EXPECT_EQ(resolved->config, ServeConfig{});
  EXPECT_TRUE(resolved->warnings.empty());
}

TEST(Config, FlagsBeatEnvironmentBeatsFileBeatsDefaults) {
  Sources sources = from_file("port = 1\nhost = 'file'\n[http]\nthreads = 3\n");
  EXPECT_EQ(resolve(sources)->config.http.port, 1);
  sources.environment = {{"MILLRACE_PORT", "2"}, {"MILLRACE_HOST", "environment"}};
  EXPECT_EQ(resolve(sources)->config.http.port, 2);
  sources.flags = {{"port", "3"}};
  const auto config = resolve(sources)->config;
  EXPECT_EQ(config.http.port, 3);
  EXPECT_EQ(config.http.host, "environment");
  EXPECT_EQ(config.http.threads, 3U);
  EXPECT_EQ(config.data, ServeConfig{}.data);
}

TEST(Config, UnitsAreReadAlikeEverywhere) {
  EXPECT_EQ(resolve(from_flags({{"memory", "1GiB"}}))->config.memory_bytes, 1ULL << 30);
  EXPECT_EQ(resolve(from_environment({{"MILLRACE_APPLY_COMMIT_DIRTY", "4MiB"}}))
                ->config.apply.commit_dirty_bytes,
            4ULL << 20);
  EXPECT_EQ(resolve(from_file("[rules]\nlong_half_life = '14d'"))->config.rules.long_half_life_ms,
            14LL * 86'400'000);
  EXPECT_EQ(resolve(from_file("memory = 134217728"))->config.memory_bytes, 128ULL << 20);
  EXPECT_EQ(resolve(from_file("durability = 'os'"))->config.log.durability, Durability::kOs);
  EXPECT_EQ(resolve(from_file("[feed]\nview = 2"))->config.feed.view, 2.0);
}

TEST(Config, InteractionsMergeByName) {
  Sources sources = from_file("[interactions]\nlike = 5\nstar = 2\n");
  sources.environment = {{"MILLRACE_INTERACTIONS", "star=3,wave=1"}};
  sources.flags = {{"interactions", "wave=-4"}, {"interactions", "nod=1"}};
  const std::vector<std::pair<std::string, std::int32_t>> expected{
      {"like", 5}, {"nod", 1}, {"star", 3}, {"wave", -4}};
  EXPECT_EQ(resolve(sources)->config.rules.interactions, expected);
}

TEST(Config, FurtherAddressesHaveTheirSurfaces) {
  const auto http = [](const Sources& sources) {
    const auto resolved = resolve(sources);
    EXPECT_TRUE(resolved.has_value()) << resolved.error().detail;
    const auto printed = print_config(resolved->config);
    EXPECT_EQ(resolve(from_file(printed))->config, resolved->config) << printed;
    return resolved->config.http;
  };
  const std::vector<ListenAddress> further{{"127.0.0.1", 5001, {"store", "v1"}}, {"::1", 0, {}}};
  const auto beside = http(
      from_flags({{"port", "8000"}, {"listen", "127.0.0.1:5001=store,v1"}, {"listen", "[::1]:0"}}));
  EXPECT_EQ(beside.port, 8000);
  EXPECT_EQ(beside.host, "127.0.0.1");
  EXPECT_EQ(beside.listen, further);
  const auto variable = http(from_environment(
      {{"MILLRACE_HOST", "0.0.0.0"}, {"MILLRACE_LISTEN", "127.0.0.1:5001=store,v1,[::1]:0"}}));
  EXPECT_EQ(variable.host, "0.0.0.0");
  EXPECT_EQ(variable.port, 8080);
  EXPECT_EQ(variable.listen, further);
  const auto alone = http(from_flags({{"listen", "0.0.0.0:80=store"}, {"listen", "[::1]:0"}}));
  EXPECT_EQ(alone.host, "0.0.0.0");
  EXPECT_EQ(alone.port, 80);
  EXPECT_EQ(alone.surfaces, std::vector<std::string>{"store"});
  EXPECT_EQ(alone.listen, std::vector<ListenAddress>{further[1]});
  const auto file = http(from_file("port = 1\n[listen]\n'127.0.0.1:5001' = 'store,v1'\n"));
  EXPECT_EQ(file.listen, std::vector<ListenAddress>{further[0]});
  for (const char* bad : {"", "5001", ":5001", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
                          "::1:5001", "127.0.0.1:1=nothing", "127.0.0.1:1=store,nothing"}) {
    EXPECT_EQ(resolve(from_flags({{"listen", bad}})).error().field, "listen") << bad;
  }
  EXPECT_EQ(resolve(from_flags({{"http.surfaces", "nothing"}})).error().field, "http.surfaces");
}

TEST(Config, CurrenciesAreExactText) {
  Sources sources = from_file("[currencies]\nEUR = '0.920000001'\nJPY = 149.5\n");
  sources.flags = {{"currencies", "JPY=150"}};
  const std::map<std::string, std::string> expected{{"EUR", "0.920000001"}, {"JPY", "150"}};
  EXPECT_EQ(resolve(sources)->config.currencies, expected);
  for (const char* bad : {"EUR", "EUR=", "eur=1", "EUR=0", "EUR=1e3"}) {
    EXPECT_EQ(resolve(from_flags({{"currencies", bad}})).error().field, "currencies") << bad;
  }
}

TEST(Config, ProxiesAndOriginsAreLists) {
  const auto config =
      resolve(from_flags({{"access.trusted_proxies", "10.0.0.0/8,::1"},
                          {"access.cors_origins", "https://a.example,http://localhost:3000"}}))
          .value()
          .config;
  ASSERT_EQ(config.access.trusted_proxies.size(), 2u);
  EXPECT_EQ(config.access.trusted_proxies[0].text(), "10.0.0.0/8");
  EXPECT_EQ(config.access.cors_origins,
            (std::vector<std::string>{"https://a.example", "http://localhost:3000"}));
  const auto printed = print_config(config);
  EXPECT_NE(printed.find("trusted_proxies = \"10.0.0.0/8,::1\""), std::string::npos) << printed;
  EXPECT_EQ(resolve(from_file(printed)).value().config, config);
  for (const auto& [key, value] : Settings{{"access.trusted_proxies", "10.0.0.0/99"},
                                           {"access.trusted_proxies", "10.0.0.1,,"},
                                           {"access.cors_origins", "*"},
                                           {"access.cors_origins", "https://a.example/"},
                                           {"access.cors_origins", "a.example"}}) {
    const auto refused = resolve(from_flags({{key, value}}));
    ASSERT_FALSE(refused.has_value()) << value;
    EXPECT_EQ(refused.error().field, key);
  }
}

TEST(Config, KafkaIsChosenByFlagVariableOrFile) {
  Sources sources = from_file(
      "[log]\nkind = 'kafka'\n[kafka]\nbootstrap = 'a:1,b:2'\nprefix = 'x.'\n"
      "[kafka_properties]\n'sasl.username' = 'me'\nlinger.ms = 2\n");
  sources.flags = {{"kafka_properties", "sasl.password=a=b"}, {"kafka_properties", "linger.ms=3"}};
  const auto config = resolve(sources).value().config;
  EXPECT_EQ(config.log.kind, LogKind::kKafka);
  EXPECT_EQ(config.log.partitions, 16);
  EXPECT_EQ(config.kafka.bootstrap, "a:1,b:2");
  EXPECT_EQ(config.kafka.prefix, "x.");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"linger.ms", "3"}, {"sasl.password", "a=b"}, {"sasl.username", "me"}};
  EXPECT_EQ(config.kafka.properties, expected);
  const auto printed = print_config(config);
  EXPECT_EQ(printed.find("a=b"), std::string::npos) << printed;
  EXPECT_NE(printed.find("\"sasl.username\" = \"me\""), std::string::npos) << printed;
  const auto variables = resolve(from_environment({{"MILLRACE_LOG", "kafka"},
                                                   {"MILLRACE_KAFKA_BOOTSTRAP", "c:3"},
                                                   {"MILLRACE_PARTITIONS", "7"}}));
  EXPECT_EQ(variables.value().config.log.kind, LogKind::kKafka);
  EXPECT_EQ(variables->config.log.partitions, 7);
}

TEST(Config, KafkaAndTheEmbeddedLogDoNotMix) {
  EXPECT_EQ(resolve(from_flags({{"log.kind", "kafka"}})).error().field, "kafka.bootstrap");
  EXPECT_EQ(resolve(from_flags({{"kafka.bootstrap", "a:1"}})).error().field, "kafka.bootstrap");
  EXPECT_EQ(
      resolve(
          from_flags({{"log.kind", "kafka"}, {"kafka.bootstrap", "a:1"}, {"log.retention", "1h"}}))
          .error()
          .field,
      "log.retention");
  EXPECT_EQ(resolve(from_flags({{"kafka_properties", "=1"}})).error().field, "kafka_properties");
}

TEST(Config, UnknownFileKeysAreErrorsThatNameThem) {
  const auto resolved = resolve(from_file("prot = 1\n[http]\nthread = 2\nthreads = 2\n"));
  ASSERT_FALSE(resolved.has_value());
  EXPECT_EQ(resolved.error().code, Code::kInvalid);
  EXPECT_NE(resolved.error().detail.find("http.thread"), std::string::npos);
  EXPECT_NE(resolved.error().detail.find("prot"), std::string::npos);
}

TEST(Config, UnknownVariablesWarnAndNoMore) {
  const auto resolved = resolve(from_environment({{"MILLRACE_PROT", "1"}, {"PATH", "/bin"}}));
  ASSERT_TRUE(resolved.has_value());
  ASSERT_EQ(resolved->warnings.size(), 1U);
  EXPECT_NE(resolved->warnings[0].find("MILLRACE_PROT"), std::string::npos);
  EXPECT_EQ(resolved->config, ServeConfig{});
}

TEST(Config, BadValuesNameTheirSourceAndTheRule) {
  const auto flag = resolve(from_flags({{"port", "65536"}}));
  ASSERT_FALSE(flag.has_value());
  EXPECT_EQ(flag.error().field, "port");
  EXPECT_EQ(flag.error().detail, "--port must be a whole number from 0 to 65535 (given: 65536)");
  const auto variable = resolve(from_environment({{"MILLRACE_LOG_LEVEL", "loud"}}));
  ASSERT_FALSE(variable.has_value());
  EXPECT_EQ(variable.error().detail,
            "MILLRACE_LOG_LEVEL must be one of debug, info, warn, error (given: loud)");
  for (const auto& [key, value] : Settings{{"memory", "1MiB"},
                                           {"memory", "-1"},
                                           {"memory", "12 parsecs"},
                                           {"http.body_deadline", "10"},
                                           {"feed.jitter", "nan"},
                                           {"feed.jitter", "-1"},
                                           {"feed.in_a_row", "101"},
                                           {"feed.rest", "-1s"},
                                           {"feed.impressions_per_second", "100001"},
                                           {"partitions", "0"},
                                           {"partitions", "4x"},
                                           {"data", ""},
                                           {"rules.short_half_life", "8d"},
                                           {"interactions", "like"},
                                           {"interactions", "=1"},
                                           {"interactions", "Like=1"},
                                           {"interactions", "like=1001"},
                                           {"retention", "view"},
                                           {"retention", "wave=3"},
                                           {"retention", "view=0"},
                                           {"retention", "view=36501"},
                                           {"retention", "view=1d"},
                                           {"models.train_every", "5"},
                                           {"models.train_every", "0 24 * * *"}}) {
    const auto bad = resolve(from_flags({{key, value}}));
    ASSERT_FALSE(bad.has_value()) << key << " = " << value;
    EXPECT_EQ(bad.error().field, key) << value;
  }
}

TEST(Config, BadTomlNamesFileAndLine) {
  const auto resolved = resolve(from_file("port = 1\nhost = \n"));
  ASSERT_FALSE(resolved.has_value());
  EXPECT_EQ(resolved.error().detail.rfind("millrace.toml:2", 0), 0U) << resolved.error().detail;
  EXPECT_FALSE(resolve(from_file("port = [1, 2]")).has_value());
}

TEST(Config, PrintedConfigurationResolvesToItself) {
  ServeConfig config;
  config.data = "with \"quotes\" and \\ and é";
  config.memory_bytes = (1ULL << 30) + 1;
  config.http.port = 0;
  config.http.idle_deadline_ms = 61'001;
  config.log.durability = Durability::kOs;
  config.logging = {LogLevel::kDebug, LogFormat::kJson};
  config.rules.history_retention_ms = 90LL * 86'400'000;
  config.rules.interactions = {{"like", 7}, {"wave", -1}};
  config.rules.retention = {{"skip", 1}, {"view", 36'500}};
  config.feed.view = 0.1 + 0.2;
  config.feed.jitter = 0;
  config.models.train_every = *Schedule::cron("30 3 * * mon-fri");
  for (const auto& each : {ServeConfig{}, config}) {
    const auto again = resolve(from_file(print_config(each)));
    ASSERT_TRUE(again.has_value()) << again.error().detail << "\n" << print_config(each);
    EXPECT_EQ(again->config, each) << print_config(each);
  }
}

TEST(Config, TheClientsSecretComesByTheNameOfItsHeader) {
  const auto resolved =
      resolve(from_environment({{"CLIENT_HEADER_SECRET", "s3cret"}, {"CLIENT_OTHER", "x"}}));
  EXPECT_EQ(resolved->config.client_secret, "s3cret");
  EXPECT_TRUE(resolved->warnings.empty());
  EXPECT_EQ(print_config(resolved->config).find("s3cret"), std::string::npos);
  const auto models = resolve(from_flags({{"models.clusters", "7"}, {"models.train_every", "5m"}}));
  EXPECT_EQ(models->config.models.clusters, 7U);
  EXPECT_EQ(models->config.models.train_every, Schedule::every(300'000));
  EXPECT_EQ(resolve(from_flags({{"models.clusters", "0"}})).error().field, "models.clusters");
  const auto learning = resolve(from_flags({{"models.blend", "fixed"},
                                            {"models.blend_every", "1m"},
                                            {"models.predictions_per_second", "0"},
                                            {"models.predicted_share", "0.5"}}));
  EXPECT_FALSE(learning->config.models.learn_blend);
  EXPECT_EQ(learning->config.models.blend_every_ms, 60'000);
  EXPECT_EQ(learning->config.models.predictions_per_second, 0U);
  EXPECT_EQ(learning->config.models.predicted_share, 0.5);
  EXPECT_EQ(resolve(from_flags({{"models.blend", "guessed"}})).error().field, "models.blend");
}

TEST(Config, SecretsAreNotPrinted) {
  const auto config = resolve(from_flags({{"admin_token", "hunter2"}}))->config;
  EXPECT_EQ(config.admin_token, "hunter2");
  EXPECT_EQ(print_config(config).find("hunter2"), std::string::npos);
  EXPECT_NE(print_config(config).find("# admin_token = \"********\""), std::string::npos);
}

TEST(Options, EachHasItsOwnFlagAndVariableAndAHelp) {
  std::set<std::string> flags;
  std::set<std::string> variables;
  const auto options = serve_options();
  for (const auto& option : options) {
    flags.insert(flag_of(option));
    variables.insert(variable_of(option));
    EXPECT_FALSE(option.help.empty()) << option.key;
  }
  EXPECT_EQ(flags.size(), options.size());
  EXPECT_EQ(variables.size(), options.size());
  EXPECT_TRUE(flags.contains("--http-max-body") && flags.contains("--interaction"));
  EXPECT_TRUE(variables.contains("MILLRACE_HTTP_MAX_BODY"));
}

TEST(Units, TextAndValueGoBothWays) {
  EXPECT_EQ(parse_bytes("1kB").value(), 1'000U);
  EXPECT_EQ(parse_bytes("0").value(), 0U);
  EXPECT_FALSE(parse_bytes("9999999TiB").has_value());
  EXPECT_FALSE(parse_bytes("").has_value());
  EXPECT_FALSE(parse_duration_ms("1w").has_value());
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1024ULL, 1536ULL, 5ULL << 40}) {
    EXPECT_EQ(parse_bytes(bytes_text(bytes)).value(), bytes);
  }
  for (const std::int64_t ms : {0LL, 1LL, 1'000LL, 90'000LL, 86'400'000LL}) {
    EXPECT_EQ(parse_duration_ms(duration_text(ms)).value(), ms);
  }
}

}  // namespace
}  // namespace millrace::app
