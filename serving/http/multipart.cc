#include "serving/http/multipart.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_text.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxBoundary = 70;
constexpr std::size_t kMaxPadding = 64;  // white space between a delimiter and its line's end

tl::unexpected<Error> no_form(const char* why) { return fail(Code::kInvalid, why, "body"); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

struct Value {
  std::string text;                                         // what stands before the parameters
  std::vector<std::pair<std::string, std::string>> params;  // names in lower case

  const std::string* param(std::string_view name) const {
    for (const auto& [key, value] : params) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

// The content of a quoted string, which `rest` begins with, without its quotes. Only quotes and
// backslashes are escaped: some clients send paths.
std::optional<std::string> quoted(std::string_view& rest) {
  std::string out;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const bool escape =
        rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
    if (escape) {
      out += rest[++i];
    } else if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return out;
    } else {
      out += rest[i];
    }
  }
  return std::nullopt;
}

// `form-data; name="file"; filename="a.mp4"`; nothing when it is not so, or names a parameter
// twice.
std::optional<Value> value_of(std::string_view field) {
  Value value;
  const auto first = std::min(field.find(';'), field.size());
  value.text = lower(trimmed(field.substr(0, first)));
  std::string_view rest = field.substr(first);
  while (!(rest = trimmed(rest)).empty()) {
    if (rest.front() != ';') return std::nullopt;
    rest = trimmed(rest.substr(1));
    if (rest.empty()) break;
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    auto name = lower(trimmed(rest.substr(0, equals)));
    rest = trimmed(rest.substr(equals + 1));
    std::optional<std::string> text;
    if (rest.starts_with('"')) {
      text = quoted(rest);
    } else {
      const auto end = std::min(rest.find(';'), rest.size());
      text = std::string(trimmed(rest.substr(0, end)));
      rest.remove_prefix(end);
    }
    if (!text || value.param(name) != nullptr) return std::nullopt;
    value.params.emplace_back(std::move(name), *std::move(text));
  }
  return value;
}

Result<FormPart> part_of(std::string_view fields) {
  std::optional<FormPart> part;
  std::string content_type;
  fields.remove_prefix(std::min<std::size_t>(2, fields.size()));  // the delimiter's line break
  while (!fields.empty()) {
    const auto end = std::min(fields.find("\r\n"), fields.size());
    const auto line = fields.substr(0, end);
    fields.remove_prefix(std::min(end + 2, fields.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return no_form("a part has a line that is no field");
    const auto name = lower(line.substr(0, colon));
    const auto text = trimmed(line.substr(colon + 1));
    if (name == "content-type") content_type = text;
    if (name == "content-transfer-encoding" && lower(text) != "binary" && lower(text) != "8bit" &&
        lower(text) != "7bit") {
      return no_form("a part is encoded: send it as it is");
    }
    if (name != "content-disposition") continue;
    const auto value = value_of(text);
    const auto* field = value ? value->param("name") : nullptr;
    if (part || field == nullptr || value->text != "form-data" || !is_utf8(*field)) {
      return no_form("a part must have one Content-Disposition: form-data; name=\"…\"");
    }
    part.emplace();
    part->name = *field;
    if (const auto* file = value->param("filename")) part->file_name = *file;
  }
  if (!part) return no_form("a part must have one Content-Disposition: form-data; name=\"…\"");
  part->content_type = std::move(content_type);
  return *std::move(part);
}

}  // namespace

std::optional<std::string> form_boundary(std::string_view content_type) {
  const auto value = value_of(content_type);
  if (!value || value->text != "multipart/form-data") return std::nullopt;
  const auto* boundary = value->param("boundary");
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  const auto good = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  };
  if (boundary == nullptr || boundary->empty() || boundary->size() > kMaxBoundary ||
      boundary->back() == ' ' || !std::all_of(boundary->begin(), boundary->end(), good)) {
    return std::nullopt;
  }
  return *boundary;
}

FormParser::FormParser(const std::string& boundary, FormReader& reader)
    : delimiter_("\r\n--" + boundary), reader_(reader), held_("\r\n") {}

Status FormParser::feed(std::string_view bytes) {
  if (done()) return {};  // an epilogue is to be ignored
  held_ += bytes;
  for (bool more = true; more;) {
    MILLRACE_TRY(more, step());
  }
  return {};
}

Result<bool> FormParser::step() {
  switch (at_) {
    case At::kPreamble:
    case At::kData: return up_to_delimiter();
    case At::kDelimiter: return after_delimiter();
    case At::kHead: return head();
    case At::kEnd: held_.clear(); return false;
  }
  return false;
}

Result<bool> FormParser::up_to_delimiter() {
  const bool data = at_ == At::kData;
  const auto found = held_.find(delimiter_);
  // What may be the beginning of a delimiter waits.
  const auto whole = found != std::string::npos
                         ? found
                         : held_.size() - std::min(held_.size(), delimiter_.size() - 1);
  if (data && whole > 0) MILLRACE_CHECK(reader_.data(std::string_view(held_).substr(0, whole)));
  if (found == std::string::npos) {
    held_.erase(0, whole);
    return false;
  }
  held_.erase(0, found + delimiter_.size());
  in_part_ = data;
  at_ = At::kDelimiter;
  return true;
}

Result<bool> FormParser::after_delimiter() {
  if (held_.starts_with("--")) {
    at_ = At::kEnd;
    if (in_part_) MILLRACE_CHECK(reader_.end());
    return true;
  }
  if (held_ == "-") return false;
  const auto text = std::find_if_not(held_.begin(), held_.end(), is_space);
  const auto padding = static_cast<std::size_t>(text - held_.begin());
  const std::string_view rest = std::string_view(held_).substr(padding);
  if (padding > kMaxPadding) return no_form("a delimiter's line does not end");
  if (rest.empty() || rest == "\r") return false;
  if (!rest.starts_with("\r\n")) {  // it only begins like one
    // A video may hold such bytes; where no part has begun, the boundary is not the form's.
    if (!in_part_) return no_form("the form's boundary is not that of its Content-Type");
    MILLRACE_CHECK(reader_.data(delimiter_));
    at_ = At::kData;
    return true;
  }
  if (in_part_) MILLRACE_CHECK(reader_.end());
  if (++parts_ > kMaxParts) return no_form("there are more than 64 parts");
  held_.erase(0, padding);  // the line break may be the one before the fields' end
  at_ = At::kHead;
  return true;
}

Result<bool> FormParser::head() {
  const auto end = held_.find("\r\n\r\n");
  if (end == std::string::npos ? held_.size() > kMaxHead + 4 : end > kMaxHead) {
    return no_form("a part's fields take more than 4 KiB");
  }
  if (end == std::string::npos) return false;
  MILLRACE_TRY(const auto part, part_of(std::string_view(held_).substr(0, end)));
  held_.erase(0, end + 4);
  at_ = At::kData;
  MILLRACE_CHECK(reader_.begin(part));
  return true;
}

}  // namespace millrace::serving
