#include "serving/http/encoding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <optional>

namespace millrace::serving {
namespace {

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool same_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

// A weight in thousandths: "0.5" is 500. What is no weight counts as 1.
int parse_q(std::string_view params) {
  const std::size_t at = params.find("q=");
  if (at == std::string_view::npos) return 1000;
  const std::string_view q = trim(params.substr(at + 2));
  if (q.empty() || q.front() != '0') return 1000;
  int value = 0;
  int scale = 100;
  for (std::size_t i = 2; i < q.size() && i < 5 && q[i] >= '0' && q[i] <= '9'; ++i, scale /= 10) {
    value += (q[i] - '0') * scale;
  }
  return value;
}

constexpr int kGzipWindow = 15 + 16;  // 32 KiB, gzip header and checksum

const Bytef* input(std::string_view bytes) { return reinterpret_cast<const Bytef*>(bytes.data()); }

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<int> gzip;
  std::optional<int> any;
  int identity = 1;  // unnamed, it is allowed but nothing is preferred to
  while (!accept_encoding.empty()) {
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = trim(item.substr(0, semicolon));
    const int q = parse_q(item.substr(semicolon));
    if (same_ignoring_case(name, "gzip") || same_ignoring_case(name, "x-gzip")) gzip = q;
    if (same_ignoring_case(name, "identity")) identity = q;
    if (name == "*") any = q;
  }
  const int chosen = gzip.value_or(any.value_or(0));
  return chosen > 0 && chosen >= identity;
}

bool is_compressible(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml") ||
         type.ends_with("javascript") || type.ends_with("yaml") || type == "application/x-ndjson";
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag;
  };
  if (trim(if_none_match) == "*") return true;
  etag = opaque(etag);
  // A tag may hold commas, so that the list is walked quote by quote.
  while (!if_none_match.empty()) {
    const std::size_t open = if_none_match.find('"');
    if (open == std::string_view::npos) return false;
    const std::size_t close = if_none_match.find('"', open + 1);
    if (close == std::string_view::npos) return false;
    if (if_none_match.substr(open, close - open + 1) == etag) return true;
    if_none_match.remove_prefix(close + 1);
  }
  return false;
}

struct Gzipper::Impl {
  z_stream stream{};
};

Gzipper::Gzipper(int level) : impl_(std::make_unique<Impl>()) {
  if (deflateInit2(&impl_->stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

Gzipper::~Gzipper() { deflateEnd(&impl_->stream); }

std::string Gzipper::compress(std::string_view text) {
  z_stream& stream = impl_->stream;
  deflateReset(&stream);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = const_cast<Bytef*>(input(text));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = const_cast<Bytef*>(input(bytes));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<Bytef, 32768> chunk;
  for (;;) {
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = chunk.size() - stream.avail_out;
    if (got > max_bytes - out.size()) {
      return fail(Code::kTooLarge,
                  "the unpacked body has more than " + std::to_string(max_bytes) + " bytes");
    }
    out.append(reinterpret_cast<const char*>(chunk.data()), got);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);  // another member follows
    } else if (code != Z_OK) {
      return fail(Code::kInvalid, "the body is not a whole gzip file");
    }
  }
}

}  // namespace millrace::serving
