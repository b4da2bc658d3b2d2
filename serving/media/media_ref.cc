#include "serving/media/media_ref.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace millrace::serving {
namespace {

bool only(std::string_view text, std::string_view of) {
  return text.find_first_not_of(of) == std::string_view::npos;
}

}  // namespace

std::optional<MediaRef> media_ref(const Json& attributes) {
  if (attributes.kind != JsonKind::kObject) return std::nullopt;
  const Json* media = attributes.find("media");
  if (media == nullptr || media->kind != JsonKind::kObject) return std::nullopt;
  const auto member = [&](const char* name) {
    const Json* found = media->find(name);
    return found == nullptr ? std::string() : found->text;
  };
  MediaRef ref{member("file"), 0, member("digest"), member("node")};
  const auto bytes = member("bytes");
  const auto* end = bytes.data() + bytes.size();
  const auto read = std::from_chars(bytes.data(), end, ref.bytes);
  const bool named = !ref.file.empty() && ref.file.size() <= 64 &&
                     only(ref.file, "abcdefghijklmnopqrstuvwxyz0123456789-");
  if (!named || read.ec != std::errc() || read.ptr != end || ref.digest.size() != 32 ||
      !only(ref.digest, "0123456789abcdef")) {
    return std::nullopt;
  }
  return ref;
}

void append_media(JsonWriter& out, const MediaRef& media) {
  out.key("media");
  out.begin_object();
  out.member("file", media.file);
  out.member("bytes", media.bytes);
  out.member("digest", media.digest);
  out.member("node", media.node);
  out.end_object();
}

}  // namespace millrace::serving
