#include "processors/rankers/session.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "processors/rankers/common.h"

namespace millrace::processors {
namespace {

constexpr std::size_t kMostSources = 8;
constexpr std::uint32_t kTenths = 10;  // of a neighbour's weight; one goes for each place

using Items = std::array<state::ItemIndex, Sessions::kMaxItems>;

// Newest first.
std::vector<state::ItemIndex> session_at_hand(const KnownPerson& known, std::size_t limit) {
  std::vector<state::ItemIndex> out;
  const auto& person = *known.view.person;
  std::optional<UnixMillis> later;
  for (auto at = person.sequence.rbegin(); at != person.sequence.rend() && out.size() < limit;
       ++at) {
    const auto time = person.row(*at).last_time;
    if (later && *later - time > kSessionGapMs) break;
    later = time;
    if (const auto item = known.index_of(*at); item != state::kNoItem) out.push_back(item);
  }
  return out;
}

struct NearSession {
  Sessions::Number number = 0;
  std::uint32_t shared = 0;      // bit p: the item at place p
  std::uint32_t similarity = 0;  // n times it
};

// The most similar of the newest sessions with one of `sources`.
std::vector<NearSession> near_sessions(std::span<const state::ItemIndex> sources,
                                       const ReadState& state) {
  std::array<std::vector<Sessions::Number>, kMostSources> lists;
  std::array<std::size_t, kMostSources> heads{};
  const auto n = sources.size();
  const auto recent = state.options.session_recent;
  for (std::size_t p = 0; p < n; ++p) state.sessions->newest(sources[p], recent, lists[p]);
  std::vector<NearSession> out;
  out.reserve(recent);
  while (out.size() < recent) {
    Sessions::Number next = 0;
    for (std::size_t p = 0; p < n; ++p) {
      if (heads[p] < lists[p].size()) next = std::max(next, lists[p][heads[p]]);
    }
    if (next == 0) break;
    NearSession& near = out.emplace_back();
    near.number = next;
    for (std::size_t p = 0; p < n; ++p) {
      if (heads[p] == lists[p].size() || lists[p][heads[p]] != next) continue;
      ++heads[p];
      near.shared |= 1u << p;
      near.similarity += static_cast<std::uint32_t>(n - p);
    }
  }
  if (out.size() > state.options.session_neighbours) {
    const auto cut = out.begin() + static_cast<std::ptrdiff_t>(state.options.session_neighbours);
    std::nth_element(out.begin(), cut, out.end(), [](const NearSession& a, const NearSession& b) {
      return a.similarity != b.similarity ? a.similarity > b.similarity : a.number > b.number;
    });
    out.erase(cut, out.end());
  }
  return out;
}

// What one neighbour says for one of its items.
struct Vote {
  state::ItemIndex item = state::kNoItem;
  std::uint32_t shared = 0;
  std::uint32_t similarity = 0;
  std::uint32_t tenths = 0;
};

// By item.
std::vector<Vote> votes_of(std::span<const NearSession> neighbours, const Sessions& sessions) {
  std::vector<Vote> out;
  out.reserve(4 * neighbours.size());
  Items room;
  for (const NearSession& near : neighbours) {
    const auto newest = static_cast<std::uint32_t>(std::countr_zero(near.shared));
    for (const auto item : sessions.items(near.number, room)) {
      out.push_back({item, near.shared, near.similarity, kTenths - newest});
    }
  }
  std::sort(out.begin(), out.end(), [](const Vote& a, const Vote& b) { return a.item < b.item; });
  return out;
}

// What a vote counts, rounded so that sums are exact.
double unit_of(state::ItemIndex item, std::size_t n, const Sessions& sessions) {
  const double with = std::max(1u, sessions.with(item));
  const double idf = std::log((1 + static_cast<double>(sessions.size())) / with);
  return round_to_exact(std::max(idf, 0.0) / (kTenths * static_cast<double>(n)));
}

std::vector<Part> parts_of(std::span<const Vote> votes, double unit,
                           std::span<const state::ItemIndex> sources, const ReadState& state) {
  std::vector<Part> out;
  const auto n = static_cast<std::uint32_t>(sources.size());
  for (std::uint32_t p = 0; p < n; ++p) {
    std::uint64_t sum = 0;
    for (const Vote& vote : votes) {
      if ((vote.shared >> p & 1u) != 0) sum += std::uint64_t{n - p} * vote.tenths;
    }
    if (sum == 0) continue;
    out.push_back({std::string(state.items->name(sources[p])), static_cast<double>(sum) * unit});
  }
  return out;
}

template <class Allowed>
std::vector<Scored> best_of(std::span<const Vote> votes, const Query& query,
                            std::span<const state::ItemIndex> sources, const ReadState& state,
                            Allowed allowed) {
  struct Candidate {
    std::span<const Vote> votes;
    double unit = 0;
  };
  std::vector<Candidate> candidates;
  Best best(query.limit, *state.catalog, std::move(allowed));
  while (!votes.empty()) {
    std::size_t count = 0;
    std::uint64_t sum = 0;
    for (; count < votes.size() && votes[count].item == votes[0].item; ++count) {
      sum += std::uint64_t{votes[count].similarity} * votes[count].tenths;
    }
    const double unit = unit_of(votes[0].item, sources.size(), *state.sessions);
    if (unit > 0) best.offer(votes[0].item, static_cast<double>(sum) * unit);
    if (query.explain) candidates.push_back({votes.first(count), unit});
    votes = votes.subspan(count);
  }
  auto found = std::move(best).take();
  for (Scored& scored : found) {
    for (const Candidate& one : candidates) {
      if (one.votes[0].item == scored.item) {
        scored.parts = parts_of(one.votes, one.unit, sources, state);
      }
    }
  }
  return found;
}

}  // namespace

Ranked rank_session(const Query& query, const ReadState& state) {
  const Matcher matcher(query, state);
  if (matcher.nothing() || query.limit == 0) return {{}, "popular", "popular"};
  const Who who = who_asks(state);
  const NumberSet had = who.known != nullptr ? dealt_with(*who.known) : NumberSet();
  std::vector<Scored> found;
  if (who.known != nullptr && state.sessions != nullptr) {
    const auto sources =
        session_at_hand(*who.known, std::min(state.options.session_items, kMostSources));
    const auto votes = votes_of(near_sessions(sources, state), *state.sessions);
    found = best_of(votes, query, sources, state, [&](state::ItemIndex item) {
      return !had.contains(item) && matcher.allows(item);
    });
  }
  return fill_up(std::move(found), "session", who, had, query, matcher);
}

}  // namespace millrace::processors
