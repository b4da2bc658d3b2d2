#include "processors/experiments/interleave.h"

#include <array>

#include "processors/rankers/common.h"

namespace millrace::processors {

Interleaved interleave(const Ranked& first, const Ranked& second, std::size_t limit,
                       std::uint64_t seed) {
  Interleaved out{{{}, first.level, "interleaved"}, {}};
  NumberSet taken(limit);
  struct Team {
    const std::vector<Scored>& list;
    std::size_t next = 0;
    std::size_t size = 0;
  };
  std::array<Team, 2> teams{Team{first.items}, Team{second.items}};
  const auto skip_taken = [&taken](Team& team) {
    while (team.next < team.list.size() && taken.contains(team.list[team.next].item)) ++team.next;
    return team.next < team.list.size();
  };
  while (out.ranked.items.size() < limit) {
    const bool has_first = skip_taken(teams[0]), has_second = skip_taken(teams[1]);
    if (!has_first && !has_second) break;
    const bool even = teams[0].size == teams[1].size;
    const bool coin = even && (mix(seed + out.ranked.items.size()) & 1) != 0;
    const bool turn = even ? coin : teams[1].size < teams[0].size;
    const bool by_second = !has_first || (has_second && turn);
    auto& team = teams[by_second ? 1 : 0];
    const auto& item = team.list[team.next];
    taken.insert(item.item);
    ++team.size;
    out.ranked.items.push_back(item);
    out.second.push_back(by_second);
  }
  return out;
}

}  // namespace millrace::processors
