#include "serving/http/multipart.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::serving {
namespace {

struct Seen final : FormReader {
  struct Part {
    FormPart head;
    std::string content;
    bool whole = false;
  };
  std::vector<Part> parts;
  std::string refused;  // the name of a part that is an error

  Status begin(const FormPart& part) override {
    if (part.name == refused) return fail(Code::kTooLarge, "is refused", part.name);
    parts.push_back({part, {}, false});
    return {};
  }
  Status data(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    parts.back().content += bytes;
    return {};
  }
  Status end() override {
    parts.back().whole = true;
    return {};
  }
};

const std::string kForm =
    "a preamble is ignored\r\n--b\r\n"
    "Content-Disposition: form-data; name=\"title\"\r\n\r\nOne\r\ntwo\r\n--bread\r\n"
    "--b  \r\ncontent-disposition:form-data;name=file; filename=\"a \\\"b\\\" \\c.mp4\"\r\n"
    "Content-Type: video/mp4\r\nX-Else: 1\r\n\r\n\r\n\r\n--b\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\nan epilogue, too";

TEST(Multipart, ReadsPartsHoweverTheyAreCut) {
  for (std::size_t piece = 1; piece <= kForm.size(); ++piece) {
    Seen seen;
    FormParser parser("b", seen);
    for (std::size_t at = 0; at < kForm.size(); at += piece) {
      const auto fed = parser.feed(std::string_view(kForm).substr(at, piece));
      ASSERT_TRUE(fed) << fed.error().detail;
    }
    ASSERT_TRUE(parser.done()) << piece;
    ASSERT_EQ(seen.parts.size(), 3u) << piece;
    EXPECT_EQ(seen.parts[0].head.name, "title");
    EXPECT_FALSE(seen.parts[0].head.file_name);
    EXPECT_EQ(seen.parts[0].content, "One\r\ntwo\r\n--bread");
    EXPECT_EQ(seen.parts[1].head.name, "file");
    EXPECT_EQ(seen.parts[1].head.file_name, "a \"b\" \\c.mp4");
    EXPECT_EQ(seen.parts[1].head.content_type, "video/mp4");
    EXPECT_EQ(seen.parts[1].content, "\r\n");
    EXPECT_EQ(seen.parts[2].content, "");
    for (const auto& part : seen.parts) EXPECT_TRUE(part.whole);
  }
}

TEST(Multipart, WhatIsCutOffIsNotDone) {
  const auto end = kForm.find("--b--") + 4;
  for (std::size_t size = 0; size < end; ++size) {
    Seen seen;
    FormParser parser("b", seen);
    ASSERT_TRUE(parser.feed(std::string_view(kForm).substr(0, size)));
    EXPECT_FALSE(parser.done()) << size;
  }
}

TEST(Multipart, WhatIsNoFormIsRefused) {
  const std::string head = "--b\r\nContent-Disposition: form-data; name=\"a\"";
  std::string many;
  for (std::size_t i = 0; i <= FormParser::kMaxParts; ++i) many += head + "\r\n\r\n\r\n";
  for (const std::string& form :
       {std::string("--bc\r\n"), std::string("--b\r\n\r\nno fields\r\n--b--"),
        std::string("--b\r\nno field\r\n\r\n"),
        std::string("--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n"),
        std::string("--b\r\nContent-Disposition: form-data\r\n\r\n"),
        std::string("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n"),
        std::string("--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n"),
        head + "\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n",
        head + "\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        head + "\r\nX: " + std::string(FormParser::kMaxHead, 'x'), many,
        "--b" + std::string(100, ' ')}) {
    Seen seen;
    FormParser parser("b", seen);
    const auto fed = parser.feed(form);
    ASSERT_FALSE(fed) << form.substr(0, 100);
    EXPECT_EQ(fed.error().code, Code::kInvalid);
    EXPECT_EQ(fed.error().field, "body");
    EXPECT_FALSE(parser.done());
  }
}

TEST(Multipart, TheReadersErrorEndsIt) {
  Seen seen;
  seen.refused = "file";
  FormParser parser("b", seen);
  const auto fed = parser.feed(kForm);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().field, "file");
  EXPECT_EQ(seen.parts.size(), 1u);
}

TEST(Multipart, TheBoundaryIsInTheContentType) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\""), "a b");
  for (const char* none :
       {"", "multipart/form-data", "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=a\tb", "application/json; boundary=a"}) {
    EXPECT_FALSE(form_boundary(none)) << none;
  }
  EXPECT_TRUE(form_boundary("multipart/form-data; boundary=" + std::string(70, 'a')));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
}

}  // namespace
}  // namespace millrace::serving
