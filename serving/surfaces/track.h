#pragma once
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// POST /interactions/track, and /bulk: each interaction is an event like any other, from the source
// that says where it came in.
Answer track(const Request& request, const Deps& deps);
Answer track_bulk(const Request& request, const Deps& deps);

// Whether it is in the seed's list of types.
bool is_tracked_type(std::string_view name);
inline constexpr const char* kTrackedTypeRule =
    "must be like, dislike, save, share, skip, play, complete, rate or view";

}  // namespace millrace::serving
