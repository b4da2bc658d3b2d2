#include "serving/surfaces/body_memo.h"

#include <utility>

namespace millrace::serving {
namespace {

std::size_t bytes_of(const std::string& key, const Rendered& rendered) {
  return key.size() + rendered.body.size() + rendered.etag.size() + 200;
}

}  // namespace

std::shared_ptr<const Rendered> BodyMemo::find(const std::string& key, std::uint64_t version) {
  Shard& in = shard(key);
  const std::lock_guard lock(in.mutex);
  const auto found = in.entries.find(key);
  if (found == in.entries.end() || found->second.version != version) return nullptr;
  return found->second.rendered;
}

void BodyMemo::keep(const std::string& key, std::uint64_t version,
                    std::shared_ptr<const Rendered> rendered) {
  const auto bytes = bytes_of(key, *rendered);
  if (bytes > shard_bytes_) return;
  Shard& in = shard(key);
  const std::lock_guard lock(in.mutex);
  if (const auto old = in.entries.find(key); old != in.entries.end()) {
    if (old->second.version > version) return;
    in.bytes -= bytes_of(key, *old->second.rendered);
    in.entries.erase(old);
  }
  if (in.bytes + bytes > shard_bytes_) {
    in.entries.clear();
    in.bytes = 0;
  }
  in.bytes += bytes;
  in.entries.emplace(key, Entry{version, std::move(rendered)});
}

}  // namespace millrace::serving
