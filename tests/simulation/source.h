#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/acceptor.h"
#include "ingest/kafka_events.h"
#include "tests/simulation/dice.h"

namespace millrace::simulation {

// The public topic with its consumer group and its dead letters. Members are named by number; one
// who has lost a partition goes on with what it has fetched, and its commits do not count.
class PublicTopic {
 public:
  struct Record {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string value;
    UnixMillis time = 0;
    bool poison = false;
  };
  using Place = std::pair<std::int32_t, Offset>;

  PublicTopic(Dice& dice, std::size_t partitions);

  Place produce(std::size_t partition, Record record);
  void assign(std::size_t partition, int member);  // -1: nobody
  void leave(int member);
  // Reads on from where the member stands in a partition that is its own. Nothing happens while it
  // holds an unsettled batch.
  void fetch(int member);
  // Settles what was fetched, by Millrace's own rule.
  void settle(int member, const ingest::Acceptor& acceptor);
  bool drained() const;  // everything is settled and committed
  void be_well() { well_ = true; }
  const std::vector<std::vector<Record>>& records() const { return records_; }
  const std::set<Place>& dead_letters() const { return dead_letters_; }
  ingest::SourceRecord view(Place place) const;

 private:
  friend class Fetched;
  struct Partition {
    int owner = -1;
    std::uint64_t generation = 0;
    Offset committed = 0;
    Offset next = 0;  // the owner's
  };
  struct Holding {
    std::size_t partition = 0;
    std::uint64_t generation = 0;
    Offset first = 0;
    std::size_t count = 0;
  };

  Dice& dice_;
  std::vector<std::vector<Record>> records_;
  std::vector<Partition> partitions_;
  std::map<int, Holding> holding_;
  std::set<Place> dead_letters_;
  bool well_ = false;
};

}  // namespace millrace::simulation
