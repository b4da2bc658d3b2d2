#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>

namespace millrace {
namespace {

constexpr long kDaySeconds = 24 * 3'600;
constexpr int kTimeoutSeconds = 20;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

template <class Write>
void write_file(const std::string& path, Write&& write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  must(file != nullptr, "a PEM file cannot be written");
  const bool good = write(file) == 1;
  std::fclose(file);
  must(good, "a PEM file is not written");
}

}  // namespace

Certificate make_certificate(const std::string& directory, const std::string& name) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  must(key && made, "no key");
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kDaySeconds);
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), subject);
  X509_set_pubkey(made.get(), key.get());
  must(X509_sign(made.get(), key.get(), EVP_sha256()) > 0, "not signed");
  Certificate out{directory + "/" + name + ".crt", directory + "/" + name + ".key"};
  write_file(out.certificate, [&](std::FILE* file) { return PEM_write_X509(file, made.get()); });
  write_file(out.key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return out;
}

struct TlsClient::Impl {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()),
                                                            SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
  std::string buffer;
  int fd = -1;
  bool goodbye = false;

  ~Impl() {
    ssl.reset();
    if (fd >= 0) ::close(fd);
  }
  bool fill() {
    std::array<char, 16 * 1024> chunk;
    const int got = SSL_read(ssl.get(), chunk.data(), static_cast<int>(chunk.size()));
    if (got <= 0) {
      goodbye = SSL_get_error(ssl.get(), got) == SSL_ERROR_ZERO_RETURN;
      return false;
    }
    buffer.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t bytes) {
    std::string out = buffer.substr(0, bytes);
    buffer.erase(0, bytes);
    return out;
  }
};

TlsClient::TlsClient(std::uint16_t port, Version version) : impl_(std::make_unique<Impl>()) {
  Impl& im = *impl_;
  if (version == Version::kUpTo11) {
    SSL_CTX_set_max_proto_version(im.context.get(), TLS1_1_VERSION);
    SSL_CTX_set_min_proto_version(im.context.get(), TLS1_VERSION);
    SSL_CTX_set_cipher_list(im.context.get(), "ALL:@SECLEVEL=0");
  }
  im.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval wait{};
  wait.tv_sec = kTimeoutSeconds;
  ::setsockopt(im.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must(::connect(im.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
       "no connection");
  im.ssl.reset(SSL_new(im.context.get()));
  SSL_set_fd(im.ssl.get(), im.fd);
  must(SSL_connect(im.ssl.get()) == 1, "no hands are shaken");
}

TlsClient::~TlsClient() = default;

std::string TlsClient::server_name() const {
  const std::unique_ptr<X509, decltype(&X509_free)> peer(
      SSL_get1_peer_certificate(impl_->ssl.get()), X509_free);
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

bool TlsClient::send(std::string_view bytes) {
  return SSL_write(impl_->ssl.get(), bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

std::string TlsClient::read_until(std::string_view end) {
  for (;;) {
    const auto at = impl_->buffer.find(end);
    if (at != std::string::npos) return impl_->take(at + end.size());
    if (!impl_->fill()) return impl_->take(impl_->buffer.size());
  }
}

std::string TlsClient::read_exactly(std::size_t bytes) {
  while (impl_->buffer.size() < bytes && impl_->fill()) {
  }
  return impl_->take(bytes);
}

bool TlsClient::read_to_end(std::string& out) {
  while (impl_->fill()) {
  }
  out = impl_->take(impl_->buffer.size());
  return impl_->goodbye;
}

}  // namespace millrace
