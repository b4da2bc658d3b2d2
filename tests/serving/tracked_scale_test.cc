// One person with very many interactions: patterns from sums, and an export with memory flat.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schemas/interaction_table.h"
#include "schemas/partitioner.h"
#include "schemas/record.h"
#include "state/history.h"
#include "state/tracked.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

constexpr int kDays = 400;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

Interaction interaction(const std::string& user, int number) {
  static const BuiltIn types[] = {BuiltIn::kLike,     BuiltIn::kDislike, BuiltIn::kSave,
                                  BuiltIn::kShare,    BuiltIn::kSkip,    BuiltIn::kPlay,
                                  BuiltIn::kComplete, BuiltIn::kRate,    BuiltIn::kView};
  Interaction made;
  made.type_number = static_cast<std::uint32_t>(types[number % 9]);
  made.weight = number % 7;
  made.event.source = state::kTrackedSource;
  made.event.id = std::to_string(number);
  made.event.user = UserId(user);
  made.event.item = ItemId((number % 4 == 0 ? "movie:" : "content:") + std::to_string(number));
  made.event.time = 1;
  made.event.value_centi = 50 * (2 + number % 9);
  made.event.duration_s = static_cast<std::uint32_t>(number % 600);
  made.event.mood = "calm";
  made.event.mood_intensity = 1 + static_cast<std::uint32_t>(number) % 10;
  made.event.context = "an evening at home";
  made.event.notes = "what somebody might write of it";
  return made;
}

// Spread evenly over kDays.
void fill(TestNode& node, const std::string& user, int count) {
  const LogPartition partition{Topic::kInteractions,
                               partition_of(user, node.engine().partitions())};
  constexpr int kAtOnce = 25;
  for (int i = 0; i < count; i += kAtOnce) {
    std::vector<ingest::Append> records;
    for (int k = i; k < std::min(count, i + kAtOnce); ++k) {
      records.push_back({partition, user, encode(LogRecord{interaction(user, k)})});
    }
    ASSERT_TRUE(node.log().append_and_wait(std::move(records)));
    node.clock().advance(kDays * state::kDayMs / (count / kAtOnce));
  }
  Position end;
  end.include(partition, node.log().end(partition) - 1);
  ASSERT_TRUE(node.engine().publisher().wait_reached(end, 120'000));
  ASSERT_TRUE(node.engine().commit_all());
}

struct ExportFigures {
  std::int64_t first_us = 0;
  std::size_t rows = 0, largest = 0, bytes = 0, grown = 0;
};

ExportFigures take_export(TestNode& node, const std::string& user) {
  const auto route = std::find_if(node.routes().begin(), node.routes().end(), [](const auto& r) {
    return r.pattern == "/interactions/export/{user}";
  });
  serving::Request request;
  request.params["user"] = user;
  request.query = {{"format", "csv"}};
  ExportFigures figures;
  const auto before = resident_bytes();
  const auto started = steady_micros();
  auto reply = std::get<serving::Reply>(route->handler(request));
  for (;;) {
    const auto piece = std::make_shared<std::promise<std::optional<std::string>>>();
    auto coming = piece->get_future();
    reply.stream->next([piece](auto bytes) { piece->set_value(std::move(bytes)); });
    const auto bytes = coming.get();
    if (figures.bytes == 0) figures.first_us = steady_micros() - started;
    if (!bytes || bytes->empty()) break;
    figures.bytes += bytes->size();
    figures.largest = std::max(figures.largest, bytes->size());
    figures.rows += static_cast<std::size_t>(std::count(bytes->begin(), bytes->end(), '\n'));
    figures.grown = std::max(figures.grown, resident_bytes() - std::min(before, resident_bytes()));
  }
  --figures.rows;  // the header
  return figures;
}

struct Figures {
  std::int64_t patterns_us = 0;  // the median of many
  ExportFigures exported;
};

Figures measure(int count) {
  TestNode node;
  const auto ann = enter(node, "ann");
  fill(node, ann.id, count);
  Figures figures;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 21; ++i) {
    const auto started = steady_micros();
    const auto reply =
        node.get("/interactions/patterns/" + ann.id + "?timeZone=Europe/Berlin", ann.as());
    times.push_back(steady_micros() - started);
    EXPECT_EQ(reply.at("totalInteractions"), std::to_string(count));
  }
  std::sort(times.begin(), times.end());
  figures.patterns_us = times[times.size() / 2];
  figures.exported = take_export(node, ann.id);
  EXPECT_EQ(figures.exported.rows, static_cast<std::size_t>(count));
  EXPECT_LT(figures.exported.largest, 256u << 10);
  std::cout << count << " interactions: patterns " << figures.patterns_us << " us, first piece "
            << figures.exported.first_us << " us, " << figures.exported.bytes
            << " bytes in pieces of at most " << figures.exported.largest << ", memory grew by "
            << figures.exported.grown << "\n";
  return figures;
}

TEST(TrackedAtScale, PatternsAndExportOfSomeThousands) { measure(4'000); }

TEST(TrackedAtScale, PatternsAndExportOfAHundredThousandLong) {
  const auto figures = measure(100'000);
  EXPECT_LT(figures.patterns_us, 5'000);
  EXPECT_LT(figures.exported.first_us, 20'000);
  EXPECT_LT(figures.exported.grown, 16u << 20);
}

}  // namespace
}  // namespace millrace
