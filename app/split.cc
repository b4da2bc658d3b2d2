#include "app/split.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "app/numpy_random.h"

namespace millrace::app {
namespace {

// As Python's round().
std::size_t rounded(double value) { return static_cast<std::size_t>(std::nearbyint(value)); }

std::vector<std::vector<std::uint32_t>> by_user(const EvaluationData& data,
                                                const std::vector<std::uint32_t>& places) {
  std::vector<std::vector<std::uint32_t>> out(data.users.size());
  for (const auto place : places) out[data.samples[place].user].push_back(place);
  return out;
}

void cut_last_positive(const EvaluationData& data, const std::vector<std::uint32_t>& events,
                       Split& split) {
  std::vector<std::size_t> positives;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (data.samples[events[i]].positive()) positives.push_back(i);
  }
  const auto last = positives.size() < 2 ? events.size() : positives.back();
  std::copy_n(events.begin(), last, std::back_inserter(split.train));
  if (last < events.size()) split.test.push_back(events[last]);
}

void cut_random(const std::vector<std::uint32_t>& events, double share, NumpyRandom& random,
                Split& split) {
  const auto order = random.permutation(static_cast<std::uint32_t>(events.size()));
  const auto out = rounded(static_cast<double>(events.size()) * share);
  for (std::size_t i = 0; i < order.size(); ++i) {
    (i < out ? split.test : split.train).push_back(events[order[i]]);
  }
}

void cut_end(const std::vector<std::uint32_t>& events, std::size_t kept, Split& split) {
  const auto at = events.begin() + static_cast<std::ptrdiff_t>(kept);
  split.train.insert(split.train.end(), events.begin(), at);
  split.test.insert(split.test.end(), at, events.end());
}

}  // namespace

std::optional<Protocol> find_protocol(std::string_view name) {
  const auto found = std::find(std::begin(kProtocolNames), std::end(kProtocolNames), name);
  if (found == std::end(kProtocolNames)) return std::nullopt;
  return static_cast<Protocol>(found - std::begin(kProtocolNames));
}

std::string_view protocol_name(Protocol protocol) {
  return kProtocolNames[static_cast<std::size_t>(protocol)];
}

Split cut(const EvaluationData& data, const std::vector<std::uint32_t>& places, Protocol protocol,
          double share, std::uint64_t seed) {
  Split split;
  if (protocol == Protocol::kPrequential) return {places, {}};
  if (protocol == Protocol::kTemporal) {
    cut_end(places, rounded(static_cast<double>(places.size()) * (1 - share)), split);
    return split;
  }
  NumpyRandom random(seed);
  for (const auto& events : by_user(data, places)) {
    if (events.empty()) continue;
    if (protocol == Protocol::kLastOut) cut_last_positive(data, events, split);
    if (protocol == Protocol::kRandom) cut_random(events, share, random, split);
    if (protocol == Protocol::kUserTemporal) {
      cut_end(events, events.size() - rounded(static_cast<double>(events.size()) * share), split);
    }
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

std::vector<Question> questions_of(const EvaluationData& data, const Split& split,
                                   Protocol protocol) {
  std::vector<bool> has_positive(data.users.size());
  UnixMillis end = 0;
  for (const auto place : split.train) {
    const Sample& sample = data.samples[place];
    if (sample.positive()) has_positive[sample.user] = true;
    end = std::max(end, sample.time);
  }
  std::vector<Question> all(data.users.size());
  std::vector<std::vector<UnixMillis>> times(data.users.size());
  for (const auto place : split.test) {
    const Sample& sample = data.samples[place];
    if (!sample.positive() || !has_positive[sample.user]) continue;
    all[sample.user].truth.push_back(sample.item);
    times[sample.user].push_back(sample.time);
  }
  std::vector<Question> out;
  for (std::uint32_t user = 0; user < all.size(); ++user) {
    Question& question = all[user];
    if (question.truth.empty()) continue;
    question.user = user;
    question.now =
        protocol == Protocol::kTemporal ? end : times[user][(times[user].size() - 1) / 2];
    std::sort(question.truth.begin(), question.truth.end());
    out.push_back(std::move(question));
  }
  return out;
}

}  // namespace millrace::app
