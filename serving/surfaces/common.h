#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/catalog_record.h"
#include "schemas/position.h"
#include "serving/deps.h"
#include "serving/http/message.h"
#include "serving/http/problem.h"

namespace millrace::serving {

// What the surfaces' handlers share. All functions are thread-safe.

Reply json_reply(std::string body, int status = 200);
Reply no_content();                                         // 204
void set_position(Reply& reply, const Position& position);  // X-Millrace-Position

// The position that the request asks for, by header or ?position=; empty when it asks for none.
// kInvalid when this log does not have it; one that others may have written is waited for.
Result<Position> asked_position(const Request& request, const Deps& deps);

// Answers with `answer()` once `position` is visible (at once when it is already), or with a 503
// when that takes longer than allowed.
Answer when_reached(const Deps& deps, const Position& position, std::function<Reply()> answer);

// The same for the position that the request asks for, with `answer(request, deps)`. Without one,
// or when it is visible already, nothing is copied.
template <class ReadHandler>
Answer when_visible(const Request& request, const Deps& deps, const ReadHandler& answer) {
  const auto position = asked_position(request, deps);
  if (!position) return problem(position.error());
  if (position->empty() || deps.engine->publisher().reached(*position)) {
    return answer(request, deps);
  }
  return when_reached(deps, *position, [request, deps, answer] { return answer(request, deps); });
}

// Rises whenever anything that an answer shows may have changed: with every record that became
// visible, and with `span`, a number of the clock's.
std::uint64_t state_version(const Deps& deps, std::int64_t span);

// Runs `next` once `position` and all that is in the catalog's log now are visible, or says 503:
// "no such thing" is said only behind it. While a log that others write cannot be asked, what is
// here must do, and answers are marked stale.
Answer behind_catalog(const Deps& deps, const Position& position, std::function<Answer()> next);
// The same for whoever must know: hears false when it was not asked or not reached in time.
void catch_up_with_catalog(const Deps& deps, std::function<void(bool caught_up)> then);

// The same for everything in the log; goes on with what is here when that takes too long.
void catch_up_with_log(const Deps& deps, std::function<void()> then);

// Appends one record to the catalog, waits until it is visible, then answers with
// `answer(position)`. A failure after the append says that the outcome is unknown, and the
// command's id.
Answer command(const Deps& deps, CatalogRecord record,
               std::function<Reply(const Position&)> answer);
// Several in one append, all or none; `id` names them in a failure.
Answer commands(const Deps& deps, std::vector<CatalogRecord> records, const std::string& id,
                std::function<Reply(const Position&)> answer);

// Gives `finish` the answer, now or when it comes.
void finish_with(Answer answer, const std::function<void(Render)>& finish);
// What is answered already, as something to render.
Render rendered(Reply reply);

// 503 for a position that is not visible in time.
Reply not_yet(const Position& position);
// 503 for a command that was appended and did not show in time.
Reply outcome_unknown(const std::string& command);

// The id of the command that a request stands for: made from its caller, method, path and
// Idempotency-Key, so that the same key elsewhere is another command; minted when it has none.
// kInvalid for a key that is no id.
Result<std::string> command_id(const Request& request, const Deps& deps);
// The Idempotency-Key itself; empty when there is none.
Result<std::string> idempotency_key(const Request& request);

// Refuses what changes something while the engine cannot take it in.
std::optional<Reply> refuse_writes(const Deps& deps);

// Query parameters. Absent: the fallback. kInvalid names the parameter and its rule.
Result<std::int64_t> int_param(const Request& request, std::string_view name, std::int64_t fallback,
                               std::int64_t least, std::int64_t most);
Result<bool> bool_param(const Request& request, std::string_view name, bool fallback);
// RFC 3339 or milliseconds.
Result<std::int64_t> time_param(const Request& request, std::string_view name,
                                std::int64_t fallback);
std::string text_param(const Request& request, std::string_view name);  // empty when absent
// The name of a category, tag or type, and that of a kind: empty when absent.
Result<std::string> name_param(const Request& request, std::string_view name);
Result<std::string> kind_param(const Request& request);
inline constexpr std::size_t kMaxLimit = 100;
Result<std::size_t> limit_param(const Request& request);  // ?limit=, 1 to kMaxLimit, else 20

// Where a listing goes on: opaque to clients. kInvalid, field "cursor".
std::string cursor_of(std::string_view place);
Result<std::string> cursor_param(const Request& request);  // the place; empty when absent

// An id from the path: kInvalid when it is too long or holds control characters.
Result<std::string> id_param(const Request& request, std::string_view name);

}  // namespace millrace::serving
