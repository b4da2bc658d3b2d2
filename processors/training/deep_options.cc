#include "processors/training/deep_options.h"

namespace millrace::processors {

Status check(const DeepOptions& options) {
  if (options.embedding_dim < 8 || options.embedding_dim > 512 || options.embedding_dim % 4 != 0) {
    return fail(Code::kInvalid, "must be a multiple of 4 from 8 to 512", "embedding_dim");
  }
  if (!(options.learning_rate > 0 && options.learning_rate <= 1)) {
    return fail(Code::kInvalid, "must be above 0 and at most 1", "learning_rate");
  }
  if (options.epochs < 1 || options.epochs > 10'000) {
    return fail(Code::kInvalid, "must be from 1 to 10000", "epochs");
  }
  return {};
}

}  // namespace millrace::processors
