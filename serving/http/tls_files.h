#pragma once
#include <string>

namespace millrace::serving {

// What a server proves itself by.
struct TlsFiles {
  std::string certificate;  // PEM: the server's, then those that vouch for it; empty: no TLS
  std::string key;          // PEM
};

}  // namespace millrace::serving
