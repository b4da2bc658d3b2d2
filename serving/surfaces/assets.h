#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serving/http/message.h"

namespace millrace::serving {

// Pages of the server's own, and the files that they are made of, which are in the binary.

struct Asset {
  std::string_view name;        // "redoc.js"
  std::string_view (*bytes)();  // gzip'd; empty where it could not be built
  std::string_view type;
};

// One set of files under an address that changes with any of them, so that they may be kept for
// good.
class Assets {
 public:
  // `prefix` is before the version: "/api/docs/assets/".
  Assets(std::string_view prefix, std::vector<Asset> files);

  const std::string& address() const { return address_; }  // of a file, but for its name

  // The file that the parameters {version} and {file} name, as the client can read it, else a 404.
  Reply get(const Request& request) const;

 private:
  std::vector<Asset> files_;
  std::string version_;
  std::string address_;
};

struct Page {
  std::string_view title;
  std::string_view head;  // elements beyond the title
  std::string_view body;
  std::string_view content_security_policy;
};
Reply page_reply(const Page& page);

// To be asked for again, and sent again only when it has changed.
Reply revalidated(std::string type, std::string body);

}  // namespace millrace::serving
