#pragma once
#include "processors/rankers/ranker.h"

namespace millrace::processors {

// VMIS-kNN over streamed sessions (Kersbergen, Sprangers and Schelter: "Serenade", SIGMOD 2022,
// https://doi.org/10.1145/3514221.3517901). The session at hand is the run of a person's last items
// with no gap above kSessionGapMs, however long ago; of it the newest n <= session_items count. Its
// neighbours are, of the session_recent newest sessions that share one of those, the
// session_neighbours most similar. With the item that came p places before the newest,
//   similarity of a session s = sum over shared items of (n - p) / n
//   score of item i = sum over s with i of similarity(s) * (1 - p_s / 10) * idf(i),
// p_s the newest shared item's place, idf(i) = ln((1 + all sessions) / sessions with i). An item is
// found the moment its event is applied. Parts are named after the session's items. idf / 10n is
// rounded to a multiple of 2^-32, so that sums are exact. What the person has dealt with is left
// out; short of items: as fill_up() does.
Ranked rank_session(const Query& query, const ReadState& state);

}  // namespace millrace::processors
