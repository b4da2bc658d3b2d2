#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"
#include "schemas/json_writer.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Numbered pages of the product surfaces: ?page= (from 1) and ?page_size= (1 to 100, else 20).
struct PageQuery {
  std::size_t page = 1;
  std::size_t size = 20;
  std::size_t first() const { return (page - 1) * size; }  // place of the page's first row
};
Result<PageQuery> page_query(const Request& request);

// {"count", "next", "previous", "results"}: `write` is called once for each of the page's places,
// ascending, and writes one value. A page behind the last is a 404; the first page always exists.
Reply page_reply(const Request& request, const Deps& deps, const PageQuery& query,
                 std::size_t count, const std::function<void(JsonWriter&, std::size_t)>& write);

// The same page as a bare array, with the ones beside it in `Link`.
Reply array_reply(const Request& request, const Deps& deps, const PageQuery& query,
                  std::size_t count, const std::function<void(JsonWriter&, std::size_t)>& write);

}  // namespace millrace::serving
