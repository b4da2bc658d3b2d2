#include "serving/http/request_parser.h"

#include <gtest/gtest.h>

namespace millrace::serving {
namespace {

using State = RequestParser::State;

// Feeds `bytes` in pieces of `piece`, as a connection would; the status refused with, 0 when whole,
// -1 when more is wanted.
int feed(RequestParser& parser, std::string_view bytes, std::size_t piece) {
  std::string buffer;
  while (!bytes.empty()) {
    const std::size_t n = std::min(piece, bytes.size());
    buffer += bytes.substr(0, n);
    bytes.remove_prefix(n);
    buffer.erase(0, parser.feed(buffer));
    if (parser.state() == State::kFailed) return parser.status();
    if (parser.state() == State::kDone) return 0;
  }
  return -1;
}

int feed(std::string_view bytes, std::size_t piece) {
  RequestParser parser({});
  return feed(parser, bytes, piece);
}

// The same outcome however the bytes are cut.
void expect_status(int status, const std::string& bytes) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    EXPECT_EQ(feed(bytes, piece), status) << "in pieces of " << piece << ":\n" << bytes;
  }
}

const std::string kHost = "Host: h\r\n";

TEST(RequestParser, ReadsARequest) {
  const std::string bytes =
      "\r\nPOST /a?b=1 HTTP/1.1\r\nHost: h\r\nX-Thing:  Some Value \r\nContent-Length: "
      "5\r\n\r\nhello";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RequestParser parser({});
    ASSERT_EQ(feed(parser, bytes, piece), 0) << piece;
    EXPECT_EQ(parser.request().method, "POST");
    EXPECT_EQ(parser.request().target, "/a?b=1");
    EXPECT_EQ(parser.request().header("x-thing"), "Some Value");
    EXPECT_EQ(parser.request().body, "hello");
    EXPECT_TRUE(parser.keep_alive());
  }
}

TEST(RequestParser, ReadsChunks) {
  const std::string bytes = "PUT /a HTTP/1.1\r\n" + kHost +
                            "Transfer-Encoding: Chunked\r\n\r\n"
                            "5;ext=1\r\nhello\r\nA\r\n, world of\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RequestParser parser({});
    ASSERT_EQ(feed(parser, bytes, piece), 0) << piece;
    EXPECT_EQ(parser.request().body, "hello, world of");
  }
}

TEST(RequestParser, StopsAtTheEndOfARequest) {
  const std::string one = "GET /1 HTTP/1.1\r\n" + kHost + "\r\n";
  const std::string two = "GET /2 HTTP/1.0\r\n\r\n";
  RequestParser parser({});
  EXPECT_EQ(parser.feed(one + two), one.size());
  EXPECT_EQ(parser.state(), State::kDone);
  parser.reset();
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.feed(two), two.size());
  EXPECT_EQ(parser.request().target, "/2");
  EXPECT_TRUE(parser.http_1_0());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.request().headers.size(), 0U);
}

TEST(RequestParser, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string post = "POST / HTTP/1.1\r\n" + kHost;
  for (const char* framing : {
           "Transfer-Encoding: gzip\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, gzip\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
           "Transfer-Encoding:\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: 5, 6\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 5 5\r\n",
           "Content-Length:\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Content-Length : 5\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Host: other\r\n",
           " Content-Length: 5\r\n",
           "X Y: 5\r\n",
           "X: a\rb\r\n",
           "X: a\nContent-Length: 5\r\n",
           ": 5\r\n",
       }) {
    expect_status(400, post + framing + "\r\nhello");
  }
  expect_status(400, post + "X: " + std::string("a\0b", 3) + "\r\n\r\n");
  expect_status(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  expect_status(400, "GET / HTTP/1.1\r\n\r\n");
  expect_status(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
  expect_status(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
}

TEST(RequestParser, RefusesBadChunks) {
  const std::string post = "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  expect_status(400, post + "x\r\n\r\n");
  expect_status(400, post + "-1\r\n\r\n");
  expect_status(400, post + "fffffffffffffffff\r\n");
  expect_status(400, post + "5\r\nhelloX\r\n0\r\n\r\n");
  expect_status(400, post + "0\r\nX-Trailer: 1\r\n\r\n");
  expect_status(400, post + "0\r\nContent-Length: 1\r\n\r\n");
  expect_status(400, post + "1;" + std::string(300, 'a') + "\r\nx\r\n0\r\n\r\n");
  expect_status(400, post + std::string(300, '0') + "1");
  expect_status(400, post + "0\r\n" + std::string(300, 'a'));
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
  expect_status(505, "GET / HTTP/2.0\r\n\r\n");
  expect_status(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  expect_status(400, "GET  / HTTP/1.1\r\n\r\n");
  expect_status(400, "\x16\x03\x01\x02");
  expect_status(400, "GET /a\x80 HTTP/1.1\r\nHost: h\r\n\r\n");
  expect_status(417, "POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n");
}

TEST(RequestParser, BoundsTheHead) {
  const std::string start = "GET / HTTP/1.1\r\n" + kHost;
  std::string many;
  while (many.size() < 9'000) many += "X-A: 0123456789\r\n";
  expect_status(431, start + many + "\r\n");
  expect_status(431, start + "X: " + std::string(9'000, 'a') + "\r\n\r\n");
  expect_status(414, "GET /" + std::string(5'000, 'a') + " HTTP/1.1\r\n\r\n");
  expect_status(414, "GET /" + std::string(9'000, 'a'));
  expect_status(0, start + "X: " + std::string(8'000, 'a') + "\r\n\r\n");
  expect_status(0, "GET /" + std::string(4'095, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n");
}

TEST(RequestParser, BoundsTheBody) {
  const std::string post = "POST / HTTP/1.1\r\n" + kHost;
  ParseLimits limits;
  limits.body_bytes = 10;
  for (const std::string& body :
       {std::string("Content-Length: 11\r\n\r\n"),
        std::string("Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nabcde\r\n0\r\n\r\n")}) {
    RequestParser parser(limits);
    EXPECT_EQ(feed(parser, post + body, 1), 413);
  }
  RequestParser parser(limits);
  EXPECT_EQ(feed(parser, post + "Content-Length: 10\r\n\r\n0123456789", 3), 0);
}

TEST(RequestParser, SeesTheExpectation) {
  RequestParser parser({});
  parser.feed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(parser.state(), State::kBody);
  EXPECT_TRUE(parser.expects_continue());
}

}  // namespace
}  // namespace millrace::serving
