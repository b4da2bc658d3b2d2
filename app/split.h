#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "app/evaluation_data.h"

namespace millrace::app {

enum class Protocol : std::uint8_t {
  kTemporal,      // the last share of all events
  kLastOut,       // everybody's last positive; what the person did behind it is dropped
  kUserTemporal,  // the last share of everybody's events
  kRandom,        // a random share of everybody's events
  kPrequential,   // each event is predicted before it is applied
};
std::optional<Protocol> find_protocol(std::string_view name);
std::string_view protocol_name(Protocol protocol);
inline constexpr std::string_view kProtocolNames[] = {"temporal", "last-out", "user-temporal",
                                                      "random", "prequential"};

// Places in EvaluationData::samples, ascending.
struct Split {
  std::vector<std::uint32_t> train, test;
};

// Cuts the samples at `places` (ascending). `share` is held out, a number of events rounded to the
// nearest, halves to even. The random cut draws numpy's permutation of each person's events, people
// in order. Prequential: all is train.
Split cut(const EvaluationData& data, const std::vector<std::uint32_t>& places, Protocol protocol,
          double share, std::uint64_t seed);

// Whom to ask about, and what would have been right.
struct Question {
  std::uint32_t user = 0;
  std::vector<std::uint32_t> truth;  // items, ascending
  UnixMillis now = 0;                // see questions_of
};

// Of everybody with a positive in train and one in test, by user. A frozen world (temporal) is
// asked when train ends; elsewhere a person is asked at the time of the middle one of their
// held-out positives, which says when the request comes and nothing of what it is for.
std::vector<Question> questions_of(const EvaluationData& data, const Split& split,
                                   Protocol protocol);

}  // namespace millrace::app
