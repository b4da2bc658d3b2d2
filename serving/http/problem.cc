#include "serving/http/problem.h"

#include "base/json_text.h"

namespace millrace::serving {
namespace {

std::string_view title(Code code) {
  switch (code) {
    case Code::kInvalid: return "The request breaks a rule";
    case Code::kUnauthorized: return "A valid credential is needed";
    case Code::kForbidden: return "The credential does not allow this";
    case Code::kNotFound: return "There is no such thing";
    case Code::kConflict: return "The request conflicts with the present state";
    case Code::kTooLarge: return "The request is too large";
    case Code::kExhausted: return "A limit is reached";
    case Code::kUnavailable: return "Not possible at the moment";
    case Code::kTimeout: return "Not done in time";
    case Code::kCorrupt: return "Stored data is damaged";
    case Code::kIo: return "Storage failed";
    case Code::kInternal: return "Internal error";
  }
  return "Internal error";
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
  out += ',';
}

struct Problem {
  std::string type;
  std::string_view title;
  int status;
  std::string_view detail;
  std::string_view field;
};

Reply to_reply(const Problem& problem) {
  Reply reply;
  reply.status = problem.status;
  reply.content_type = kProblemType;
  reply.body = "{";
  append_member(reply.body, "type", problem.type);
  append_member(reply.body, "title", problem.title);
  if (!problem.detail.empty()) append_member(reply.body, "detail", problem.detail);
  if (!problem.field.empty()) append_member(reply.body, "field", problem.field);
  reply.body += "\"status\":" + std::to_string(problem.status) + "}";
  if (problem.status == 429 || problem.status == 503) {
    reply.headers.emplace_back("Retry-After", "1");
  }
  return reply;
}

}  // namespace

int http_status(Code code) {
  switch (code) {
    case Code::kInvalid: return 400;
    case Code::kUnauthorized: return 401;
    case Code::kForbidden: return 403;
    case Code::kNotFound: return 404;
    case Code::kConflict: return 409;
    case Code::kTooLarge: return 413;
    case Code::kExhausted: return 429;
    case Code::kUnavailable:
    case Code::kTimeout: return 503;
    case Code::kCorrupt:
    case Code::kIo:
    case Code::kInternal: return 500;
  }
  return 500;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

Reply problem(const Error& error) {
  Reply reply = to_reply({"urn:millrace:problem:" + std::string(code_name(error.code)),
                          title(error.code), http_status(error.code), error.detail, error.field});
  if (error.code == Code::kUnauthorized) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

Reply problem(const Error& error, std::int64_t retry_after_ms) {
  Reply reply = problem(error);
  std::erase_if(reply.headers, [](const auto& header) { return header.first == "Retry-After"; });
  reply.headers.emplace_back("Retry-After", std::to_string((retry_after_ms + 999) / 1000));
  return reply;
}

Reply problem(int status, std::string_view detail) {
  return to_reply({"about:blank", reason_phrase(status), status, detail, {}});
}

}  // namespace millrace::serving
