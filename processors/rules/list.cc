#include "processors/rules/list.h"

#include "processors/rules/count.h"
#include "processors/rules/likes.h"
#include "processors/rules/ratings.h"
#include "processors/rules/saves.h"
#include "processors/rules/watches.h"
#include "schemas/interaction_table.h"

namespace millrace::processors {

Rule rule_for(std::uint32_t type_number) {
  switch (static_cast<BuiltIn>(type_number)) {
    case BuiltIn::kLike: return like;
    case BuiltIn::kUnlike: return unlike;
    case BuiltIn::kDislike: return dislike;
    case BuiltIn::kSave: return save;
    case BuiltIn::kUnsave: return unsave;
    case BuiltIn::kRate: return rate;
    case BuiltIn::kUnrate: return unrate;
    case BuiltIn::kWatch: return watch;
    case BuiltIn::kUnwatch: return unwatch;
    default: return count;
  }
}

}  // namespace millrace::processors
