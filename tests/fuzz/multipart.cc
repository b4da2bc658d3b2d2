// Forms in pieces: the same parts however the bytes are cut, nothing held beyond the limits, and
// whatever is read can be sent again as the same form.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "serving/http/multipart.h"

namespace {

using namespace millrace;
using namespace millrace::serving;

void must(bool holds) {
  if (!holds) std::abort();
}

struct Seen final : FormReader {
  struct Part {
    FormPart head;
    std::string content;
  };
  std::vector<Part> parts;
  bool open = false;
  bool refused = false;
  bool done = false;

  Status begin(const FormPart& part) override {
    must(!open);
    open = true;
    parts.push_back({part, {}});
    return {};
  }
  Status data(std::string_view bytes) override {
    must(open && !bytes.empty());
    parts.back().content += bytes;
    return {};
  }
  Status end() override {
    must(open);
    open = false;
    return {};
  }
};

Seen read(std::string_view bytes, std::size_t piece) {
  Seen seen;
  FormParser parser("b", seen);
  for (; !bytes.empty() && !seen.refused; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    seen.refused = !parser.feed(bytes.substr(0, piece));
  }
  seen.done = parser.done();
  must(seen.parts.size() <= FormParser::kMaxParts);
  must(!seen.done || !seen.open);
  return seen;
}

bool same(const Seen::Part& a, const Seen::Part& b) {
  return a.head.name == b.head.name && a.head.file_name == b.head.file_name &&
         a.content == b.content;
}

std::string again(const Seen& seen) {
  std::string form;
  for (const auto& part : seen.parts) {
    std::string name;
    for (const char c : part.head.name) {
      if (c == '"' || c == '\\') name += '\\';
      name += c;
    }
    form += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + part.content +
            "\r\n";
  }
  return form + "--b--";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  form_boundary(bytes);
  const auto whole = read(bytes, bytes.size() + 1);
  const auto pieces = read(bytes, std::max<std::size_t>(1, data[0]));
  must(whole.done == pieces.done && whole.refused == pieces.refused);
  if (!whole.done) return 0;
  must(std::equal(whole.parts.begin(), whole.parts.end(), pieces.parts.begin(), pieces.parts.end(),
                  same));
  const auto form = again(whole);
  const auto second = read(form, form.size());
  must(second.done && second.parts.size() == whole.parts.size());
  for (std::size_t i = 0; i < whole.parts.size(); ++i) {
    must(second.parts[i].head.name == whole.parts[i].head.name);
    must(second.parts[i].content == whole.parts[i].content);
  }
  return 0;
}
