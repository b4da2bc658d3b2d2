#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serving/deps.h"
#include "serving/media/media_ref.h"

namespace millrace::app {

// Reads the file of `video:number` from another node, the one it was uploaded to first, in parts of
// a few megabytes. What was taken from one that fails is not asked of the next again. Whether the
// bytes are the right ones, the digest says.
Status copy_media(const std::vector<serving::NodeView>& nodes, std::uint64_t number,
                  const serving::MediaRef& media,
                  const std::function<Status(std::string_view)>& take);

}  // namespace millrace::app
