#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::serving {

// What a part of multipart/form-data (RFC 7578) says of itself.
struct FormPart {
  std::string name;
  std::optional<std::string> file_name;  // of the client's; not to be trusted
  std::string content_type;              // empty: not said
};

// Whom the parts are told to, in order. An error ends the parsing.
class FormReader {
 public:
  virtual ~FormReader() = default;
  virtual Status begin(const FormPart& part) = 0;
  virtual Status data(std::string_view bytes) = 0;  // never empty
  virtual Status end() = 0;
};

// The boundary of "multipart/form-data; boundary=…"; nothing for any other type.
std::optional<std::string> form_boundary(std::string_view content_type);

// Takes a form apart as its bytes come, holding no more than a delimiter or a part's fields. Not
// thread-safe.
class FormParser {
 public:
  static constexpr std::size_t kMaxHead = 4 * 1024;  // of a part's fields
  static constexpr std::size_t kMaxParts = 64;

  // `reader` must outlive the parser.
  FormParser(const std::string& boundary, FormReader& reader);

  // kInvalid, field "body": this is no form. An error, the reader's too, is final.
  Status feed(std::string_view bytes);
  bool done() const { return at_ == At::kEnd; }  // the closing delimiter has come

 private:
  enum class At { kPreamble, kDelimiter, kHead, kData, kEnd };

  Result<bool> step();  // false: wants more
  Result<bool> up_to_delimiter();
  Result<bool> after_delimiter();
  Result<bool> head();

  const std::string delimiter_;  // with the line break before it
  FormReader& reader_;
  std::string held_;
  At at_ = At::kPreamble;
  bool in_part_ = false;  // what the delimiter ends is one
  std::size_t parts_ = 0;
};

}  // namespace millrace::serving
