#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace {

// PEM files of a new key and of a certificate that it signed itself, "DIRECTORY/NAME.crt" and
// ".key", for the host `name`.
struct Certificate {
  std::string certificate;
  std::string key;
};
Certificate make_certificate(const std::string& directory, const std::string& name);

// A blocking TLS connection to 127.0.0.1, for tests: trusts everybody. Throws std::runtime_error
// when no hands are shaken. One thread.
class TlsClient {
 public:
  enum class Version { kAny, kUpTo11 };
  explicit TlsClient(std::uint16_t port, Version version = Version::kAny);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  std::string server_name() const;  // that the certificate is for
  bool send(std::string_view bytes);
  // Up to `end`, inclusive; what came where the server closed before.
  std::string read_until(std::string_view end);
  std::string read_exactly(std::size_t bytes);
  // Ends with the server's last byte. True when it said goodbye as TLS wants it.
  bool read_to_end(std::string& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
