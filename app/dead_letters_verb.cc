#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>
#include <string>

#include "app/open_target.h"
#include "app/verbs.h"
#include "base/clock.h"
#include "schemas/json_value.h"
#include "schemas/json_writer.h"
#include "schemas/uuid7.h"

namespace millrace::app {
namespace {

struct DeadLettersFlags {
  std::string action;
  TargetFlags target;
  std::string partition;
  std::optional<std::uint64_t> offset;
};

std::string text_in(const Json& json, std::string_view name) {
  const Json* found = json.find(name);
  return found == nullptr ? std::string() : found->text;
}

std::string line_of(const Json& letter) {
  std::string line = text_in(letter, "partition") + ":" + text_in(letter, "offset") + "  " +
                     text_in(letter, "time") + "  " + text_in(letter, "reason");
  const Json* event = letter.find("event");
  if (event == nullptr) return line;
  line += "  ";
  JsonWriter out(line);
  append_json(out, *event);
  return line;
}

void print(const Json& letter, bool as_json, bool first) {
  std::string line;
  if (as_json) {
    line = first ? "" : ",\n";
    std::string json;
    JsonWriter out(json);
    append_json(out, letter);
    line += json;
  } else {
    line = line_of(letter) + "\n";
  }
  std::cout << line;
}

// Prints every page as it comes.
Status list(Target& target, const DeadLettersFlags& flags) {
  const bool as_json = flags.target.client->json;
  std::string path = "/v1/admin/dead-letters?limit=100";
  if (!flags.partition.empty()) path += "&partition=" + flags.partition;
  std::string cursor;
  bool first = true;
  do {
    MILLRACE_TRY(const HttpReply reply,
                 target.get(path + (cursor.empty() ? "" : "&cursor=" + cursor)));
    if (reply.status != 200) return tl::unexpected<Error>(error_of(reply));
    MILLRACE_TRY(const Json page, parse_json(reply.body));
    const Json* letters = page.find("items");
    if (letters == nullptr) return fail(Code::kInternal, "the server's list is no list");
    if (as_json && cursor.empty()) std::cout << "{\"items\":[";
    for (const auto& letter : letters->elements) {
      print(letter, as_json, first);
      first = false;
    }
    cursor = text_in(page, "next_cursor");
  } while (!cursor.empty());
  if (as_json) std::cout << "]}\n";
  std::cout << std::flush;
  return {};
}

Status replay(Target& target, const DeadLettersFlags& flags) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  if (!flags.partition.empty()) out.member("partition", flags.partition);
  if (flags.offset) out.member("offset", *flags.offset);
  out.end_object();
  const SystemClock clock;
  const std::string key = Uuid7Minter(clock).mint();  // sent again, it is one command
  MILLRACE_TRY(const HttpReply reply,
               target.post("/v1/admin/dead-letters/replay", "application/json", std::move(body),
                           {{"Idempotency-Key", key}}));
  if (reply.status != 200) return tl::unexpected<Error>(error_of(reply));
  MILLRACE_TRY(const Json said, parse_json(reply.body));
  if (flags.target.client->json) {
    std::cout << reply.body << std::endl;
  } else {
    std::cout << text_in(said, "replayed") << " dead letters appended again" << std::endl;
  }
  return {};
}

int run(const DeadLettersFlags& flags) {
  const auto done = open_target(flags.target, {}).and_then([&](const auto& target) {
    return flags.action == "list" ? list(*target, flags) : replay(*target, flags);
  });
  if (done.has_value()) return kOk;
  std::cerr << "millrace dead-letters: " << done.error().detail << "\n";
  return done.error().field == "url" ? kUsage : kFailed;
}

}  // namespace

Action define_dead_letters(CLI::App& verb) {
  auto flags = std::make_shared<DeadLettersFlags>();
  verb.add_option("action", flags->action, "list or replay")
      ->required()
      ->check(CLI::IsMember({"list", "replay"}));
  flags->target = add_target_flags(verb);
  auto* partition = verb.add_option("--partition", flags->partition, "only this one, e.g. i0 or c");
  verb.add_option("--offset", flags->offset, "replay only the record at this offset")
      ->needs(partition);
  return [flags] { return run(*flags); };
}

}  // namespace millrace::app
