#include "tests/support/people.h"

#include <stdexcept>
#include <utility>

#include "base/crypto.h"
#include "schemas/catalog_record.h"

namespace millrace {
namespace {

std::uint64_t run(ingest::EventLog& log, processors::Engine& engine,
                  decltype(CatalogRecord::change) change) {
  const auto name = random_secret();
  std::vector<ingest::Append> appends;
  appends.push_back({kCatalogPartition, {}, encode(CatalogRecord{name, std::move(change)})});
  const auto offsets = log.append_and_wait(std::move(appends));
  Position position;
  position.include(kCatalogPartition, offsets.value().front());
  if (!engine.publisher().wait_reached(position, 20'000)) {
    throw std::runtime_error("the catalog stands still");
  }
  const auto verdict = engine.catalog().verdict(name);
  if (!verdict || verdict->outcome != state::CommandOutcome::kCreated) {
    throw std::runtime_error("not created");
  }
  return verdict->number;
}

}  // namespace

Person enter(TestNode& node, const std::string& name, Role role) {
  return enter(node.log(), node.engine(), name, role);
}

Person enter(ingest::EventLog& log, processors::Engine& engine, const std::string& name,
             Role role) {
  Person person;
  const AccountId id(run(log, engine, SignUp{name, name + "@example.org", {}, role}));
  person.id = std::to_string(id.value);
  person.token = random_secret();
  run(log, engine, IssueToken{id, token_hash(person.token)});
  return person;
}

Person sign_up(TestNode& node, const std::string& name) {
  const std::string password = R"("password":"a long sentence"})";
  const auto made = node.call(
      "POST", "/api/users/",
      R"({"username":")" + name + R"(","email":")" + name + R"(@example.org",)" + password);
  if (made.status() != 201) throw std::runtime_error("signing up: " + made.body());
  const auto in = node.call("POST", "/api/token/", R"({"username":")" + name + R"(",)" + password);
  if (in.status() != 200) throw std::runtime_error("logging in: " + in.body());
  return {made.at("id"), in.at("token")};
}

}  // namespace millrace
