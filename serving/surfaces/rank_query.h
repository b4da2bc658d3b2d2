#pragma once
#include <string_view>

#include "base/result.h"
#include "processors/rankers/list.h"
#include "processors/rankers/ranker.h"
#include "serving/http/message.h"

namespace millrace::serving {

// What a request asks of a ranker: ?limit=, kind, category, exclude, filter, explain, session,
// seed, diversity, rotate and those of feed_params. `now` and `user` are left to the caller;
// without ?seed= the seed is 0. kInvalid names the parameter.
Result<processors::Query> rank_query(const Request& request);

// ?in_a_row= and ?rest=, of the feed; what is not there stays as it is.
Status feed_params(const Request& request, processors::Query& query);

// "tag:gadgets,price_max:200,attr.color:black". kInvalid, field "filter".
Result<processors::Filter> parse_filter(std::string_view text);

// ?algorithm=, the feed when absent. kInvalid lists what there is.
Result<const processors::Ranker*> algorithm_param(const Request& request);

}  // namespace millrace::serving
